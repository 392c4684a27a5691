"""Module 05, Serve with FastAPI: six exercises, from an event stream to a gate of load and abuse.

The checks start the learner's app on a loopback port and call it. What they do there is in
`m05_runs` and `m05_gate`, which bring the server, and are imported where a case needs them.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, exercise, satisfies
from helpers.course.exercises.m05_fragile import fragile

if TYPE_CHECKING:
    from helpers.course.exercises.m05_gate import Load
    from helpers.course.exercises.m05_given import Service
    from helpers.course.exercises.m05_runs import (
        Guard,
        MakeApp,
        MakeProbes,
        MakeQueue,
        Patient,
        Spend,
    )

# --- 05.1: events ---------------------------------------------------------------------------------


@exercise(
    "05.1",
    title="Stream tokens as server-sent events",
    hints=[
        "An async generator under @app.post('/chat', response_class=EventSourceResponse) yields"
        " ServerSentEvent objects; FastAPI sends each at once. Do not collect the words first.",
        "Question as the type of the body refuses an empty message before the generator starts.",
        "data={'text': word} is sent as JSON, so that a line break inside a word does not end the"
        " event.",
        "Put try around async for word in model.stream(question.message). In except ModelFailed"
        " yield the event error with a title and the status 502; in else yield done.",
    ],
)
def stream(submission: "MakeApp") -> Iterator[Case]:
    """An app that sends each word as an event while the model writes, and says how it ended."""
    from httpx2 import SSEError

    from helpers.course.exercises import m05_runs as runs
    from helpers.course.exercises.m05_given import WORDS

    words = ("One", " two", " three")
    tokens = [("token", {"text": word}) for word in words]
    yield Case(
        "each word arrives before the model writes the next one",
        call=lambda: runs.word_by_word(submission, words),
        show="POST /chat; the model writes a word whenever the client has read the one before",
        expect=[*tokens, ("done", {"tokens": 3})],
        slips=[
            (
                [],
                "Nothing came while the model was writing: send each word at once, before the"
                " answer is complete.",
            ),
            (SSEError, "What came is no event stream. Is there a POST /chat that yields events?"),
            (
                lambda got: [name for name, _ in got] == ["message"] * len(got),
                'Without event="token" every event is called message.',
            ),
            (tokens, "Without a last event a client cannot tell the end from a cut connection."),
        ],
    )
    yield Case(
        "words with line breaks and quotes arrive whole",
        call=lambda: runs.texts(submission, WORDS),
        show="POST /chat; the texts of the events called token",
        expect=list(WORDS),
        slips=[
            ([], "No event called token has come."),
            (
                lambda got: [text.partition("\n")[0] for text in WORDS] == got,
                "A line break inside data: ends the line. Send JSON, which writes it as \\n.",
            ),
        ],
    )
    yield Case(
        "the model fails after two words",
        call=lambda: runs.broken_answer(submission),
        show="POST /chat with a message on which the model raises ModelFailed",
        expect=satisfies("two words, then an event error with title and status 502", _failure),
        slips=[
            (
                lambda got: got[1] == "lost",
                "The stream was cut: the client has half an answer and no word about it.",
            ),
            (
                lambda got: got[1] == "answered",
                "It said done, and half of the answer was missing.",
            ),
        ],
    )
    yield Case(
        "two clients at once",
        call=lambda: runs.two_at_once(submission),
        show="two clients POST /chat; the model writes one word to each",
        expect=["One", "One"],
        slips=[(["One"], "The second client waits until the first has its whole answer.")],
    )
    yield Case(
        "an empty question, and then a good one",
        call=lambda: runs.empty_and_full(submission),
        show="POST /chat with an empty message; then with a good one",
        expect={"empty": 422, "model asked": 0, "good": 200, "type": "text/event-stream"},
        slips=[
            (
                lambda got: got["empty"] == 200,
                "An empty message was answered: take the body as a Question.",
            ),
        ],
    )


def _failure(got: tuple[list[str], str, Any]) -> bool | str:
    texts, outcome, body = got
    if outcome != "error event" or len(texts) != 2:
        return False
    if not isinstance(body, dict) or body.get("status") != 502 or not body.get("title"):
        return "The data of the event should hold a title and the status 502."
    return True


# --- 05.2: a place before the stream --------------------------------------------------------------

REFUSED = "503, Retry-After"


@exercise(
    "05.2",
    title="Take the queue's place before the stream",
    hints=[
        "When the first byte of a stream is sent, the status is 200 for good. So whatever may"
        " refuse has to run before: in a dependency, dependencies=[Depends(place)].",
        "A dependency with yield is entered before the answer starts and left after its last byte,"
        " or when the client has gone: exactly as long as a place is to be held.",
        "asyncio.Semaphore(running) holds the places; asyncio.timeout(patience) around acquire()"
        " bounds the wait. Count who is inside, running or waiting, in a Counter by caller, and"
        " count down in finally.",
        "if inside[caller] >= each: raise HTTPException(429, headers={'Retry-After': '1'}); if"
        " inside.total() >= running + waiting: the same with 503. A header is read by an argument"
        " x_caller: Annotated[str, Header()].",
    ],
)
def queueing(submission: "MakeQueue") -> Iterator[Case]:
    """An app that gives out places at the model, and refuses with a status and Retry-After."""
    from helpers.course.exercises import m05_runs as runs

    yield Case(
        "eight strangers, 2 places and 3 to wait at",
        call=lambda: runs.full_house(submission),
        show="queueing_app(model, running=2, waiting=3, ...); 8 callers POST /chat at once",
        expect={"refused at once": [REFUSED] * 3, "answered": 5, "most at the model": 2},
        slips=[
            (
                lambda got: got["most at the model"] > 2 and len(got["refused at once"]) == 3,
                "The right number was refused, and too many ran: the place was given back before"
                " the stream had ended.",
            ),
            (
                lambda got: any("None" in told for told in got["refused at once"]),
                "Without Retry-After a client tries again at once, and makes it worse.",
            ),
            (
                lambda got: got["answered"] == 8,
                "Nobody was refused.",
            ),
            (
                lambda got: bool({"lost", "error event"} & {*got["refused at once"]}),
                "The refused ones got the status 200 and no answer: the place is taken inside the"
                " stream, where the status has gone out already.",
            ),
        ],
    )
    yield Case(
        "each caller has a share",
        call=lambda: runs.greedy_caller(submission),
        show="queueing_app(model, running=4, waiting=4, each=2); a caller's third request, one of"
        " another caller, and one more of the first when its two have ended",
        expect=["429, Retry-After", "answered", "answered"],
        slips=[
            (
                [REFUSED, "answered", "answered"],
                "503 says that the service is full. Here one caller asks too much: 429.",
            ),
            (
                ["answered", "answered", "answered"],
                "One caller may take every place there is.",
            ),
            (
                ["429, Retry-After", "429, Retry-After", "429, Retry-After"],
                "One caller's share is counted against everybody.",
            ),
        ],
    )
    yield Case(
        "no longer than its patience",
        call=lambda: runs.out_of_patience(submission),
        show="queueing_app(model, running=1, waiting=1, patience=0.15, ...): one waits behind a"
        " long answer; later two ask",
        expect={"waits in vain": REFUSED, "later": "answered", "and one more": "answered"},
        slips=[
            (
                lambda got: got["waits in vain"] == "still waiting",
                "It waits for as long as it takes: nobody tells the client.",
            ),
            (
                lambda got: got["and one more"].startswith("503"),
                "Whoever has run out of patience still takes a place in the queue.",
            ),
        ],
    )
    yield Case(
        "the place is free again",
        call=lambda: runs.free_again(submission),
        show="queueing_app(model, running=1, waiting=0, ...): a second client during the first"
        " one's answer, a third after it",
        expect={
            how: [REFUSED, "answered"]
            for how in ("after an answer", "after an error", "after its client left")
        },
        slips=[
            (
                lambda got: any(told[-1].startswith("503") for told in got.values()),
                "The place is never given back: use finally.",
            ),
        ],
    )


# --- 05.3: nobody there ---------------------------------------------------------------------------


@exercise(
    "05.3",
    title="Stop the model when the client has left",
    hints=[
        "Two things are waited for: the work, and the client's leaving. asyncio.wait with"
        " return_when=asyncio.FIRST_COMPLETED waits for the first of two tasks.",
        "await request.is_disconnected() says whether the client has gone; a small loop with"
        " asyncio.sleep around it ends when it has.",
        "task.cancel() only asks. The work has ended when you have awaited the task: await"
        " asyncio.gather(*tasks, return_exceptions=True).",
        "In try: await asyncio.wait(...); if not working.done(): raise ClientDisconnect; return"
        " working.result(). In finally cancel both tasks and gather them, whatever happened.",
    ],
)
def while_connected(submission: "Guard") -> Iterator[Case]:
    """The result of a coroutine, which is cancelled when the client leaves before it ends."""
    from helpers.course.exercises import m05_runs as runs

    stopped = {"of the one who left": "stopped", "for the one who stayed": 200}
    to_the_end = (
        lambda got: got["of the one who left"] != "stopped",
        "The model went on writing for a client who had left.",
    )
    yield Case(
        "one leaves, one stays",
        call=lambda: runs.one_leaves(submission),
        show="two clients POST /chat; the first closes its connection; the model writes on",
        expect=stopped,
        slips=[
            to_the_end,
            (
                lambda got: got["for the one who stayed"] != 200,
                "The client who stayed must get the answer.",
            ),
        ],
    )
    yield Case(
        "the model fails for the one who stays",
        call=lambda: runs.one_leaves(submission, message="break"),
        show="the same; the model raises ModelFailed on the second client's question",
        expect=stopped | {"for the one who stayed": 502},
        slips=[
            to_the_end,
            (
                lambda got: got["for the one who stayed"] in (0, 499),
                "ModelFailed must come out of while_connected, so that the app can answer 502.",
            ),
        ],
    )
    yield Case(
        "when it raises, the work has ended",
        call=lambda: runs.in_order(submission),
        show="the client leaves; how many answers run when while_connected raises",
        expect={"ClientDisconnect raised": True, "answers still running": 0},
        slips=[
            (
                {"ClientDisconnect raised": True, "answers still running": 1},
                "cancel() asks the task to end; it still clears up. Wait for it.",
            ),
            (
                lambda got: not got["ClientDisconnect raised"],
                "ClientDisconnect should be raised when the client has left.",
            ),
        ],
    )
    yield Case(
        "a deadline around it",
        call=lambda: runs.deadline(submission),
        show="async with asyncio.timeout(0.1): await while_connected(...); another client leaves",
        expect={"status": 504, "answers still running": 0, "left": 1},
        slips=[
            (
                lambda got: got["answers still running"] > 0 and got["left"] == 1,
                "When while_connected itself is cancelled, the work must be cancelled too, and"
                " awaited: do both in finally.",
            ),
        ],
    )
    yield Case(
        "nothing is left behind",
        call=lambda: runs.left_behind(submission),
        show="tasks that are still there after three answers and three who left",
        expect=0,
        slips=[
            (
                lambda got: got > 0,
                "A task that watches a connection, or works for nobody, is still there: end both.",
            )
        ],
    )


# --- 05.4: a budget -------------------------------------------------------------------------------


@exercise(
    "05.4",
    title="A budget of tokens that is exact",
    hints=[
        "Before the request nobody knows what it will use. So book the most it may use first, and"
        " give back what was left over when it has ended, however it ended: finally.",
        "Between await store.get and await store.set others run, and read the same number. Only"
        " one call of the store may decide.",
        "store.add decides too late: a request that does not fit is on the account for a moment,"
        " and another that would fit is refused.",
        "while True: used = await store.get(key); if used + most > limit: raise OverBudget; if"
        " await store.compare_and_set(key, used, used + most): break. Afterwards await"
        " store.add(key, spent.tokens - most).",
    ],
)
def spend(submission: "Spend") -> Iterator[Case]:
    """A context manager that reserves tokens in a shared store and settles what was used."""
    from helpers.course.exercises import m05_runs as runs

    yield Case(
        "reserved inside, settled after",
        call=lambda: runs.booked(submission),
        show='async with spend(store, "C-1", 100, 30) as spent: spent.tokens = 12',
        expect={"inside": 30, "after": 12},
        slips=[
            ({"inside": 0, "after": 12}, "While it runs, others can spend the same tokens."),
            ({"inside": 0, "after": 0}, "Nothing is booked."),
            ({"inside": 30, "after": 30}, "What was not used is to be given back."),
            (
                {"inside": 30, "after": 42},
                "The 30 reserved stay booked, and the 12 used come on top.",
            ),
        ],
    )
    yield Case(
        "full to the last token, and no further",
        call=lambda: runs.to_the_limit(submission),
        show="of 100: reserve 40 and 40, then 20, then 1, one inside the other",
        expect=["80 of 100 reserved", "100 of 100 reserved", "OverBudget"],
        slips=[
            (["80 of 100 reserved", "OverBudget"], "The last 20 fit exactly."),
            (lambda got: "101 of 100 reserved" in got, "That is more than the budget holds."),
        ],
    )
    for how, cancelled, ended in [
        ("the model fails after 5 tokens", False, "ModelFailed"),
        ("the client leaves after 5 tokens", True, "cancelled"),
    ]:
        yield Case(
            how,
            call=lambda cancelled=cancelled: runs.cut_short(  # type: ignore[misc]
                submission, cancelled=cancelled
            ),
            show="how a request of at most 30 tokens ends, and what is on the account then",
            expect=(ended, 5),
            slips=[
                ((ended, 30), "The reservation stays: 25 tokens are lost until tomorrow."),
                ((ended, 0), "The 5 tokens were used, and have to be paid for."),
                (
                    lambda got, ended=ended: got[0] != ended,
                    "What ends the block must come out of it.",
                ),
            ],
        )
    yield Case(
        "two workers, forty requests at once",
        call=lambda: runs.two_workers(submission),
        show="40 requests of at most 10 tokens share 100; half of them in a second worker; each"
        " uses 7",
        expect={"let in": 10, "refused": 30, "used": 70},
        slips=[
            (
                lambda got: got["let in"] > 10,
                "More were let in than fit: they have all read the same number.",
            ),
            (
                lambda got: got["let in"] == 10,
                "The account is wrong afterwards: get and then set loses what others wrote.",
            ),
            (RuntimeError, "A lock belongs to one worker; another one does not see it."),
        ],
    )
    yield Case(
        "one that does not fit, among those that do",
        call=lambda: runs.big_and_small(submission),
        show="50 of 100 are left; one request of 80 and five of 10 come at the same moment",
        expect={"of 80 tokens": 0, "of 10 tokens": 5},
        slips=[
            (
                lambda got: got["of 80 tokens"] == 0 and got["of 10 tokens"] < 5,
                "The big one was booked for a moment, and small ones were refused for nothing.",
            ),
        ],
    )


# --- 05.5: readiness ------------------------------------------------------------------------------

GOOD, NOT_READY = "200 200", "200 503"


@exercise(
    "05.5",
    title="Readiness that tells the truth",
    hints=[
        "/livez asks: should this process be ended and started anew? That it answers says enough."
        " A dead model is not mended by a restart of the service.",
        "/readyz asks: should requests be sent here now? Collect the reasons why not, and answer"
        " 503 when there are any.",
        "await service.model.ping() may raise, and may never come back: put asyncio.timeout(0.5)"
        " around it, and count TimeoutError like ModelFailed.",
        "JSONResponse({'reasons': reasons}, status_code=503 if reasons else 200), where reasons"
        " names model, queue and stopping. The queue is full when waiting >= most_waiting.",
    ],
)
def probes(submission: "MakeProbes") -> Iterator[Case]:
    """A router with /livez and /readyz, which say what is so at this moment."""
    from helpers.course.exercises import m05_runs as runs

    def case(name: str, moments: "dict[str, runs.Change]", bad: str, slip: str) -> Case:
        expect = {moment: NOT_READY if moment == bad else GOOD for moment in moments}
        return Case(
            name,
            call=lambda: runs.probed(submission, moments),
            show=f"/livez and /readyz: {', '.join(moments)}",
            expect=expect,
            slips=[
                (lambda got: "404" in got[bad], "GET /livez and GET /readyz are both needed."),
                (lambda got: got[bad] == GOOD, slip),
                (
                    lambda got: got[bad].startswith("503"),
                    "/livez says that the process should be ended: a restart would not help here.",
                ),
                (
                    lambda got: "no answer" in got[bad],
                    "No answer within 3 s. Whoever probes takes that for dead, and restarts it.",
                ),
                (
                    lambda got: got[bad] == NOT_READY,
                    "It says no when all is well: what was wrong once is not wrong for good.",
                ),
            ],
        )

    yield case(
        "the model dies, and comes back",
        {"well": _well, "dead": _dead, "back": _well},
        "dead",
        "It says ready, and every request would fail: the model does not answer a ping.",
    )
    yield case(
        "the model is still loading",
        {"loading": _loading, "loaded": _well},
        "loading",
        "It says ready before the weights are in memory: look at model.loaded.",
    )
    yield case(
        "the model hangs",
        {"well": _well, "hangs": _hangs, "back": _well},
        "hangs",
        "A ping that never comes back is no good sign.",
    )
    yield case(
        "the queue fills, and empties",
        {"3 of 4 wait": _waiting(3), "4 of 4 wait": _waiting(4), "none waits": _waiting(0)},
        "4 of 4 wait",
        "The next request would be refused: the queue is full.",
    )
    yield case(
        "the service was told to stop",
        {"well": _well, "stopping": _stopping},
        "stopping",
        "New requests would be cut: service.stopping is set.",
    )
    yield Case(
        "it says why",
        call=lambda: runs.reasons(submission, _several),
        show="the body of /readyz, when the model is dead and the queue is full",
        expect=satisfies(
            "a text that names model and queue, and not stopping",
            lambda got: "model" in got and "queue" in got and "stopping" not in got,
        ),
        slips=[
            (
                lambda got: ("model" in got) is not ("queue" in got),
                "It stops at the first reason: whoever reads it mends one and finds the other.",
            ),
        ],
    )
    yield Case(
        "twenty probes cost nothing",
        call=lambda: runs.work_done(submission),
        show="GET /readyz, twenty times, all well",
        expect={"ready": 20, "questions to the model": 0},
        slips=[
            (
                lambda got: got["questions to the model"] > 0,
                "Each probe asks the model a question: that takes a customer's place. Use ping.",
            )
        ],
    )


def _well(service: "Service", model: "Patient") -> None:
    service.stopping, service.waiting = False, 0
    model.loaded, model.health = True, "well"


def _dead(service: "Service", model: "Patient") -> None:
    model.health = "dead"


def _hangs(service: "Service", model: "Patient") -> None:
    model.health = "hangs"


def _loading(service: "Service", model: "Patient") -> None:
    model.loaded = False


def _stopping(service: "Service", model: "Patient") -> None:
    service.stopping = True


def _several(service: "Service", model: "Patient") -> None:
    model.health, service.waiting = "dead", service.most_waiting


def _waiting(count: int) -> "Callable[[Service, Patient], None]":
    def change(service: "Service", model: "Patient") -> None:
        service.waiting = count

    return change


# --- 05.6: load and abuse -------------------------------------------------------------------------


@exercise(
    "05.6",
    title="A service that passes the gate of load and abuse",
    starter=fragile,
    hints=[
        "request.json() and body['message'] raise on what strangers send, and nobody catches it."
        " What does FastAPI do with a body whose type is Question?",
        "events(model, message) sends words that arrive whole, and an event error when the model"
        " fails. It replaces the generator inside.",
        "32 streams on a model that runs 4 make each one 8 times slower. Your queue of exercise 2,"
        " as a dependency, lets few in and refuses the others while they can still be refused.",
        "running=4, waiting=2 and each=3: who waits for more than one round waits too long, and a"
        " place is left for whoever comes beside a greedy caller.",
        "A model that falls silent: hand queueing_app an object whose stream passes the words on"
        " inside async with asyncio.timeout(1) as silence, calls silence.reschedule at each, and"
        " raises ModelFailed from the TimeoutError.",
    ],
)
def service(submission: "MakeApp") -> Iterator[Case]:
    """The given service, mended: no 500, no lost stream, nobody starved, and quick under load."""
    from helpers.course.exercises import m05_gate as gate

    yield Case(
        "bad requests",
        call=lambda: gate.bad_bodies(submission),
        show="POST /chat with bodies that are no question",
        expect=satisfies("a status from 400 to 499 for each, and no model work", _all_refused),
    )
    yield Case(
        "the model fails in every second answer",
        call=lambda: gate.failing_model(submission),
        show="eight answers, one after another",
        expect={
            "when it answers": ["answered"],
            "text": 'The Alta 2 weighs 2.1 kg\n("without pegs").',
            "when it fails": ["error event"],
        },
        slips=[
            (
                lambda got: got["when it fails"] == ["lost"],
                "The stream was cut: the client has half an answer and no word about it.",
            ),
            (
                lambda got: got["when it answers"] == ["answered"],
                "A word with a line break or quotes does not arrive whole, or a failure says done.",
            ),
            (
                lambda got: got["when it answers"] == ["refused"],
                "Nobody is answered at all.",
            ),
            (
                lambda got: "refused" in got["when it answers"],
                "A failure keeps its place: soon nobody gets in.",
            ),
        ],
    )
    yield Case(
        "the model falls silent",
        call=lambda: gate.silent_model(submission),
        show="four answers in which the model writes two words and then none; then a good one; the"
        " clients give up after 2 s",
        expect=["error event", "answered"],
        slips=[
            (
                lambda got: "lost" in got or "no answer" in got,
                "The clients gave up. Bound how long the model may be silent, then say so.",
            ),
            (
                lambda got: got[-1] == "refused",
                "Silent answers keep their places, and the next client is refused.",
            ),
        ],
    )
    yield Case(
        "clients who leave",
        call=lambda: gate.clients_who_leave(submission),
        show="twelve clients leave in the middle, then four ask",
        expect={"model stopped": True, "next answered": 4},
    )
    yield Case(
        f"{gate.STRANGERS} strangers at once",
        call=lambda: gate.strangers(submission),
        limit=30,
        show=f"{gate.STRANGERS} callers POST /chat at the same moment",
        expect=_quick(gate.LEAST_ANSWERED, gate.AT_MOST),
    )
    yield Case(
        "a polite client beside a greedy one",
        call=lambda: gate.beside_a_greedy_one(submission),
        limit=30,
        show=f"two questions, while another caller holds {gate.GREEDY} connections",
        expect=_quick(2, gate.AT_MOST),
        slips=[
            (
                lambda got: got.answered < 2,
                "The greedy caller holds every place: give each caller a share.",
            )
        ],
    )


def _all_refused(got: dict[str, int]) -> bool | str:
    asked = got["questions to the model"]
    bad = {name: status for name, status in got.items() if not 400 <= status <= 499}
    bad.pop("questions to the model", None)
    if cut := [name for name, status in bad.items() if status == 0]:
        return f"A stream was begun and cut, for: {', '.join(cut)}."
    if 500 in bad.values():
        names = [name for name, status in bad.items() if status == 500]
        return f"A 500 says that the service is broken, to: {', '.join(names)}."
    if bad:
        return f"These were not refused: {', '.join(bad)}."
    return asked == 0 or f"The model was asked {asked} times for nothing."


def _quick(least: int, at_most: float) -> Expectation:
    """At least so many answered, the others told when to come back, and the first token soon."""

    def judge(got: "Load") -> bool | str:
        if untold := [name for name in got.refused if name not in ("429", "503")]:
            return f"Answer, or refuse with 429 or 503 and Retry-After. Here: {', '.join(untold)}."
        if got.answered < least:
            return f"At least {least} should be answered."
        return got.ratio <= at_most or "Too many share the model, or wait for too long before it."

    text = (
        f"at least {least} answered, the others refused with 429 or 503 and Retry-After; first"
        f" token after at most {at_most:g} times as long as alone"
    )
    return Expectation(text=text, judge=judge, show=str)
