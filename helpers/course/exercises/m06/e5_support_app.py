"""Exercise 06.5: an application that loses nothing while its parts die and are replaced."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m06.survive import MakeApp


@exercise(
    "06.5",
    title="The gate: nothing is lost",
    gate=True,
    hints=[
        "Begin with the two classes and no failure: a Writer whose method is an async generator,"
        " and a Gateway that gets Writer.bind() and asks it by"
        " handle.options(stream=True).answer.remote(message).",
        Hint(
            "What was sent is a text. Add up the text of the new answer, too, and send only what is"
            " longer than that: text[len(sent):].",
            "dies",
        ),
        Hint(
            "A for loop of four tries, around a try with except RayActorError: continue. A try that"
            " came to its end returns.",
            "dies",
            "fails",
        ),
        Hint(
            "Compare before you send: does the text so far agree with what was sent? And at the end"
            " of a try: is it as long? Anything else that goes wrong ends in one event, error.",
            "fails",
        ),
        Hint(
            "A status goes out before the first event, so await the first one before you return the"
            " response: first = await anext(events). There BackPressureError becomes"
            " HTTPException(503, headers={'Retry-After': '1'}).",
            "full",
        ),
        Hint(
            "@serve.deployment takes num_replicas, max_ongoing_requests, max_queued_requests,"
            " graceful_shutdown_timeout_s and max_surge_percent.",
            "options",
        ),
        Hint(
            "On a cluster each replica is a process of its own: what one keeps in a variable, the"
            " others do not see.",
            "cluster",
        ),
    ],
)
def support_app(answer: "MakeApp") -> Iterator[Case]:
    """Streams are resumed, refusals are told in time, and a cluster under load loses nothing."""
    from helpers.course.exercises.m06 import gate, survive
    from helpers.course.exercises.m06.replicas import no_application

    none = no_application("support_app")
    yield Case(
        "an answer, piece by piece",
        call=lambda: survive.pieces(answer),
        show="POST /chat; the model is held after two pieces, then writes on; another model; bodies"
        " that are no Question",
        expect=survive.WRITTEN,
        slips=[
            none,
            Slip.when(
                "in-one-piece",
                lambda got: got["while it is written"] == [] and got["then"][-1:] == ["done"],
                "Nothing arrives while the answer is written: the pieces are collected first.",
            ),
        ],
        about="pieces",
    )
    yield Case(
        "a replica dies",
        call=lambda: survive.dying(answer),
        show="POST /chat; the writer's handle raises RayActorError after a piece, before the first"
        " one, three times, or after the last one",
        expect=survive.SURVIVED,
        slips=[
            none,
            Slip.when(
                "sent-twice",
                lambda got: got["after a piece"][0].startswith("It weighsIt"),
                "The client reads the beginning twice: leave out what was sent already.",
            ),
            Slip.when(
                "pieces-counted",
                lambda got: (
                    got["three times"][0] == "A tent for two"
                    and got["after a piece"][0] != "It weighs 2.1 kg"
                ),
                "The new answer is cut into other pieces: compare texts, not their number.",
            ),
            Slip.when(
                "not-asked-again",
                lambda got: got["after a piece"] == ["It weighs", "error", "1 try"],
                "The answer was given up where another replica could go on with it.",
            ),
            Slip.when(
                "cut-stream",
                lambda got: "cut" in got["after a piece"][1],
                "The stream was cut: the client has half an answer and is told nothing.",
            ),
        ],
        about="dies",
    )
    yield Case(
        "an answer that cannot be saved",
        call=lambda: survive.failing(answer),
        show="POST /chat; all tries die, or the new answer is another one, or shorter, or write"
        " raises ValueError or OSError",
        expect=survive.TOLD,
        slips=[
            none,
            Slip.when(
                "exception-told",
                lambda got: any("tells of the exception" in end for _, end, _ in got.values()),
                "The client is told what only the log should say.",
            ),
            Slip.when(
                "mixed",
                lambda got: (
                    got["another answer"][0].startswith("It weighs")
                    and got["another answer"][0] != "It weighs"
                ),
                "The client reads the beginning of one answer and the end of another.",
            ),
            Slip.when(
                "says-done",
                lambda got: "done" in got["four die"][1],
                "The client is told that the answer is whole, and it is not.",
            ),
            Slip.when(
                "short-is-whole",
                lambda got: "done" in got["a shorter answer"][1] + got["an empty answer"][1],
                "The new answer ended before the end of the text that was sent: it is another one.",
            ),
            Slip.when(
                "every-error-again",
                lambda got: _tries(got["another exception"]) > 1,
                "An exception of write is no death of a replica: the next one will raise it, too.",
            ),
            Slip.when(
                "for-ever",
                lambda got: _tries(got["four die"]) > 4,
                "It is asked more than four times: this may never end.",
            ),
        ],
        about="fails",
    )
    yield Case(
        "the queue is full",
        call=lambda: survive.crowded(answer),
        show="POST /chat; the writer's handle raises BackPressureError at once, or later",
        expect=survive.REFUSED,
        slips=[
            none,
            Slip.when(
                "exception-told",
                lambda got: "tells of the exception" in got["full after a piece"][1],
                "The client is told what only the log should say.",
            ),
            Slip.when(
                "refused-with-done",
                lambda got: got["full"] == ["", "done", "1 try"],
                "The client is told that the answer is whole, and nothing was written: the"
                " exception of the handle was swallowed on its way.",
            ),
            Slip.when(
                "status-was-sent",
                lambda got: got["full"] == ["", "error", "1 try"],
                "The status 200 had gone out before the queue was asked: a client that reads only"
                " the status believes that it was answered.",
            ),
            Slip.when(
                "cut-with-200",
                lambda got: "cut" in got["full"][1],
                "The status 200 had gone out, and then the stream was cut. Wait for the first piece"
                " before you send the status.",
            ),
            Slip.when(
                "no-retry-after",
                lambda got: got["full"] == ["", "503", "1 try"],
                "Without Retry-After: 1 a client tries again at once, and makes it worse.",
            ),
        ],
        about="full",
    )
    yield Case(
        "the options",
        call=lambda: survive.options(answer),
        show="the options of the two deployments",
        expect=survive.CONFIGURED,
        slips=[
            none,
            Slip.when(
                "no-time-to-finish",
                lambda got: (
                    not (
                        got["writer"]["30 seconds to finish"]
                        and got["gateway"]["30 seconds to finish"]
                    )
                ),
                "A replica that is replaced is ended in the middle of an answer.",
            ),
            Slip.when(
                "nobody-there",
                lambda got: not got["gateway"]["ready before the old one stops"],
                "By default the old gateway stops before the new one starts: for seconds nobody is"
                " there, and all wait.",
            ),
        ],
        about="options",
    )
    fast = os.environ.get("COURSE_FAST", "") not in ("", "0")
    requests = 100 if fast else 500
    yield Case(
        "on a cluster",
        call=lambda: gate.on_a_cluster(answer, requests),
        limit=150,
        show=f"{gate.CLIENTS} clients ask {requests} times or more; a replica of the writer is"
        f" killed, the application is replaced; then {gate.CROWD} ask at once",
        expect=Expectation(
            text="every answer whole, and of the crowd some answered, all others refused with 503"
            " and Retry-After: 1",
            judge=gate.judged,
            show=str,
        ),
        slips=[
            Slip.when(
                "one-memory",
                lambda got: got.failed.get("error event", 0) > gate.CLIENTS,
                "Many answers fail, not only those whose replica died. Does a replica look for"
                " something in its memory that another one has been told?",
            ),
        ],
        about="cluster",
        after_all=True,
    )


def _tries(read: list[str]) -> int:
    return int(read[-1].split()[0])
