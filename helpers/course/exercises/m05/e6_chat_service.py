"""Exercise 05.6: a fragile service is made to pass a gate of load and abuse."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise, satisfies
from helpers.testbed.fragile import fragile

if TYPE_CHECKING:
    from helpers.course.exercises.m05.gate import Burst, MakeService


@exercise(
    "05.6",
    title="A service that passes the gate of load and abuse",
    starter=fragile,
    gate=True,
    hints=[
        Hint(
            'request.json() and body["message"] raise on what strangers send, and nobody catches'
            " it. What does FastAPI do with a body whose type is Question?",
            "bodies",
        ),
        Hint(
            "Exercise 2 gives you a function, events(model, message). It sends each word whole, and"
            " the event named error when the model fails. Send what it yields.",
            "failure",
        ),
        Hint(
            "Wait for each chunk by itself: chunk = await anext(chunks, None), inside async with"
            " asyncio.timeout(silence). Write a class with a method astream"
            " that does this, and use it in the place of the model wherever its chunks are read.",
            "silence",
        ),
        Hint(
            "The model writes 4 streams at full speed, and more of them share it: with 8, each is"
            " half as fast. Let few in, as in exercise 2, and refuse the others while they can"
            " still be refused.",
            "load",
        ),
        Hint(
            "running=4, waiting=2 and each=3: a client that waits for more than one round waits"
            " too long, and a place is left beside a greedy caller.",
            "load",
            "greedy",
        ),
        Hint(
            "Give a place back however the stream ends: with its last event, an error, or a client"
            " that leaves. A finally, or async with, covers all three.",
            "leaving",
        ),
    ],
)
def chat_service(answer: "MakeService") -> Iterator[Case]:
    """The given service, changed: no 500, no lost stream, nobody starved, and quick under load."""
    from helpers.course.exercises.m05 import gate
    from helpers.course.exercises.m05.live import no_app

    no_apps = no_app("chat_service")
    yield Case(
        "bad requests",
        call=lambda: gate.bad_bodies(answer),
        show="POST /chat with bodies that are no Question",
        expect=satisfies("a status from 400 to 499 for each, and no model work", _all_refused),
        slips=[no_apps],
        about="bodies",
    )
    yield Case(
        "the model fails in two of three answers",
        call=lambda: gate.failing_model(answer),
        show="twelve answers, one after another",
        expect={
            "when it answers": ["answered"],
            "text": gate.TEXT,
            "when it fails after 3 words": "error event",
            "when it fails at once": "error event",
        },
        slips=[
            no_apps,
            Slip.when(
                "cut",
                lambda got: got["when it fails after 3 words"] == "lost",
                "The stream was cut: the client has half an answer and is told nothing.",
            ),
            Slip.when(
                "says-done",
                lambda got: got["when it fails after 3 words"] == "answered",
                "The model has failed, and the client is told that the answer is whole.",
            ),
            Slip.when(
                "not-whole",
                lambda got: got["when it answers"] == ["answered"] and got["text"] != gate.TEXT,
                "A word with a line break or quotes does not arrive as it was written.",
            ),
            Slip.when(
                "nobody-answered",
                lambda got: got["when it answers"] == ["refused"],
                "Nobody is answered at all.",
            ),
            Slip.when(
                "failure-keeps-place",
                lambda got: "refused" in got["when it answers"],
                "A failure keeps its place: soon nobody gets in.",
            ),
        ],
        about="failure",
    )
    yield Case(
        "the model falls silent, or takes its time",
        call=lambda: gate.silent_model(answer),
        show="chat_service(model, silence=0.3): four answers in which the model falls silent, then"
        " a good one; chat_service(model, silence=1.2): an answer with a word every 0.55 s",
        expect={
            "silence 0.3: silent at once": "error event",
            "silence 0.3: silent after 2 words": "error event",
            "the next client": "answered",
            "silence 1.2: a word every 0.55 s": "answered",
        },
        slips=[
            no_apps,
            Slip.when(
                "whole-limited",
                lambda got: got["silence 1.2: a word every 0.55 s"] == "error event",
                "This answer takes longer than silence as a whole, but the model never pauses for"
                " so long: start to count again at each chunk.",
            ),
            Slip.when(
                "waits-for-ever",
                lambda got: got["silence 0.3: silent after 2 words"].startswith("lost"),
                "The client gave up. Limit how long the model may be silent, then say so.",
            ),
            Slip.when(
                "too-late",
                lambda got: "error event after" in got["silence 0.3: silent after 2 words"],
                "The error came too late: the limit is the argument silence.",
            ),
            Slip.when(
                "silence-keeps-place",
                lambda got: got["the next client"] == "refused",
                "Silent answers keep their places, and the next client is refused.",
            ),
        ],
        about="silence",
    )
    yield Case(
        "clients who leave",
        call=lambda: gate.clients_who_leave(answer),
        show="twelve clients leave in the middle, then four ask",
        expect={"model stopped": True, "next answered": 4},
        slips=[
            no_apps,
            Slip.when(
                "writes-on",
                lambda got: not got["model stopped"],
                "The model writes on for clients who have left.",
            ),
            Slip.when(
                "leavers-keep-places",
                lambda got: got["model stopped"] and got["next answered"] < 4,
                "Those who left keep their places, so the next ones are refused.",
            ),
        ],
        about="leaving",
    )
    yield Case(
        f"{gate.STRANGERS} strangers at once",
        call=lambda: gate.strangers(answer),
        limit=30,
        show=f"{gate.STRANGERS} callers POST /chat at the same moment",
        expect=_quick(gate.LEAST_ANSWERED, gate.AT_MOST),
        slips=[no_apps],
        about="load",
    )
    yield Case(
        "a polite client beside a greedy one",
        call=lambda: gate.beside_a_greedy_one(answer),
        limit=30,
        show=f"two questions, while another caller has {gate.GREEDY} connections",
        expect=_quick(2, gate.AT_MOST),
        slips=[
            no_apps,
            Slip.when(
                "no-shares",
                lambda got: got.answered < 2,
                "The greedy caller has every place: give each caller a share.",
            ),
        ],
        about="greedy",
    )


def _all_refused(got: dict[str, int]) -> bool | str:
    asked = got["questions to the model"]
    bad = {name: status for name, status in got.items() if not 400 <= status <= 499}
    bad.pop("questions to the model", None)
    if cut := [name for name, status in bad.items() if status == 0]:
        return f"A stream was begun and cut, for: {', '.join(cut)}."
    if errors := [name for name, status in bad.items() if status >= 500]:
        return f"A status of 500 and above says that the service is broken: {', '.join(errors)}."
    if bad:
        return f"These were not refused: {', '.join(bad)}."
    return asked == 0 or f"The model was asked {asked} times for nothing."


def _quick(least: int, at_most: float) -> Expectation:
    """At least so many answered, the others told when to come back, and the first token soon."""

    def judge(got: "Burst") -> bool | str:
        if untold := [name for name in got.others if name not in ("429", "503")]:
            return f"Answer, or refuse with 429 or 503 and Retry-After. Here: {', '.join(untold)}."
        if got.answered < least:
            return f"At least {least} should be answered."
        if got.ratio is None:
            return "A client who is alone should be answered."
        return got.ratio <= at_most or "Too many share the model, or wait for too long before it."

    text = (
        f"at least {least} answered, the others refused with 429 or 503 and Retry-After; first"
        f" token after at most {at_most:g} times as long as alone"
    )
    return Expectation(text=text, judge=judge, show=str)
