"""Exercise 05.2: a queue in front of the stream."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m05.queues import MakeQueue

FULL, GREEDY = "503, Retry-After: 1", "429, Retry-After: 1"


@exercise(
    "05.2",
    title="Take the queue's place before the stream",
    hints=[
        "When the first byte of a stream is sent, the status is 200 for good. So what may refuse a"
        " request runs before: in a dependency, dependencies=[Depends(place)].",
        Hint(
            "A dependency with yield is entered before the answer starts and left after its last"
            " byte, or when the client has gone. What comes after yield belongs into finally.",
            "free",
        ),
        Hint(
            "Keep who is inside, running or waiting, in a list of callers. Between looking at the"
            " list and adding to it there must be no await: there, others look too.",
            "full",
            "share",
        ),
        Hint(
            "asyncio.timeout(patience) around the semaphore bounds the wait; its"
            " reschedule(None) ends the bound as soon as there is a place.",
            "patience",
        ),
        "if inside.count(caller) >= each: raise HTTPException(429, headers={'Retry-After': '1'});"
        " if len(inside) >= running + waiting: the same with 503. A header is read by an argument"
        " x_caller: Annotated[str, Header()].",
    ],
)
def queueing_app(answer: "MakeQueue") -> Iterator[Case]:
    """An app that gives out places at the model, and refuses with a status and Retry-After."""
    from httpx2 import SSEError

    from helpers.course.exercises.m05 import queues, streams
    from helpers.course.exercises.m05.live import no_app

    slips = [no_app("queueing_app")]
    yield Case(
        "eight strangers, 2 places and 3 to wait at",
        call=lambda: queues.full_house(answer),
        show="queueing_app(model, running=2, waiting=3, ...); 8 callers POST /chat at once",
        expect={"refused at once": [FULL] * 3, "answered": 5, "most at the model": 2},
        slips=[
            *slips,
            Slip.when(
                "no-queue",
                lambda got: got["answered"] == 8 and got["most at the model"] > 2,
                "All eight were answered at the same time: nothing holds them back.",
            ),
            Slip.when(
                "all-wait",
                lambda got: got["answered"] == 8,
                "All eight were let in to wait, where 3 may wait. If you look at a counter: count"
                " before the next await, or all eight look before one of them is counted.",
            ),
            Slip.when(
                "inside-the-stream",
                lambda got: bool({"lost", "error event"} & {*got["refused at once"]}),
                "The refused ones got the status 200 and no answer: the place is taken inside the"
                " stream, where the status has gone out already.",
            ),
            Slip.when(
                "given-back-early",
                lambda got: got["refused at once"] == [FULL] * 3 and got["most at the model"] > 2,
                "The right number was refused, and too many ran: the place was given back before"
                " the stream had ended.",
            ),
            Slip.value(
                "no-retry-after",
                {"refused at once": ["503"] * 3, "answered": 5, "most at the model": 2},
                "Without Retry-After: 1 a client tries again at once, and makes it worse.",
            ),
            Slip.when(
                "nobody-waits",
                lambda got: len(got["refused at once"]) == 6,
                "Two run, and three more may wait: nobody was let in to wait.",
            ),
        ],
        about="full",
    )
    yield Case(
        "each caller has a share",
        call=lambda: queues.shares(answer),
        show="queueing_app(model, running=1, waiting=3, each=2): a caller's third request, while"
        " one of its two runs and one waits; one of another caller; one of the first one later",
        expect=[GREEDY, "answered", "answered"],
        slips=[
            *slips,
            Slip.value(
                "share-of-all",
                [GREEDY, GREEDY, "answered"],
                "One caller's share is counted against all callers.",
            ),
            Slip.value(
                "only-running",
                ["answered", "answered", "answered"],
                "The caller had two inside, one running and one waiting: both count in each.",
            ),
            Slip.value(
                "503-for-one",
                [FULL, "answered", "answered"],
                "503 says that the service is full. Here one caller asks too much: 429.",
            ),
        ],
        about="share",
    )
    yield Case(
        "full, and one caller has its share",
        call=lambda: queues.full_and_greedy(answer),
        show="queueing_app(model, running=2, waiting=2, each=3): three of one caller and one of"
        " another are inside; one more of each, and one of a stranger",
        expect={"greedy": GREEDY, "other": FULL, "stranger": FULL},
        slips=[
            *slips,
            Slip.value(
                "503-first",
                {"greedy": FULL, "other": FULL, "stranger": FULL},
                "Where both hold, the answer is 429: look at the caller's share first.",
            ),
        ],
        about="share",
    )
    yield Case(
        "no longer than its patience",
        call=lambda: queues.patience(answer),
        show="queueing_app(model, running=1, waiting=1, patience=0.2 or 2, ...): one waits behind"
        " an answer; later three ask",
        expect={
            "patience 0.2: waits": FULL,
            "patience 0.2: has its place": "answered",
            "later: has its place": "answered",
            "later: waits": "answered",
            "later: one more": FULL,
            "patience 2: waits 0.35 s": "answered",
        },
        slips=[
            *slips,
            Slip.when(
                "waits-on",
                lambda got: got["patience 0.2: waits"].endswith("then answered"),
                "It waits for as long as it takes: after its patience it should get 503.",
            ),
            Slip.when(
                "answer-cut",
                lambda got: got["patience 0.2: has its place"] != "answered",
                "Patience is for the wait alone: an answer may take longer.",
            ),
            Slip.when(
                "still-counted",
                lambda got: got["later: waits"] == FULL,
                "The client that has run out of patience still takes a place in the queue.",
            ),
        ],
        about="patience",
    )
    during = [FULL, "answered", "answered"]
    yield Case(
        "the place is free again",
        call=lambda: queues.free_again(answer),
        show="queueing_app(model, running=1, waiting=0, each=1): a second client during the first"
        " request; a third one after it, and the first one again",
        expect={how: during[1:] if "bad body" in how else during for how in queues.ENDS},
        slips=[
            *slips,
            Slip.when(
                "never-free",
                lambda got: any(FULL in ends[-2:] or GREEDY in ends[-2:] for ends in got.values()),
                "The place is never given back: use finally.",
            ),
        ],
        about="free",
    )
    yield Case(
        "two apps, each with its own queue",
        call=lambda: queues.two_apps(answer),
        show="one app is full; two messages to another app, whose model repeats them",
        expect=[streams.tokens(message) for message in ("a tent", "a stove for two")],
        slips=[
            *slips,
            Slip.raises("shared", SSEError, "An app that is full refuses the clients of another."),
        ],
        about="full",
    )
