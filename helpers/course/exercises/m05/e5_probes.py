"""Exercise 05.5: readiness that tells the truth."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m05.probing import Probes

_WELL = "/livez 200, /readyz 200 no reason"


def _not(*reasons: str) -> str:
    return f"/livez 200, /readyz 503 {', '.join(reasons)}"


@exercise(
    "05.5",
    title="Readiness that tells the truth",
    hints=[
        Hint(
            "/livez asks whether this process should be restarted. That it answers says enough: a"
            " restart of the service does not bring a dead model back.",
            "live",
        ),
        "/readyz asks whether requests should be sent here now. Collect all reasons why not, then"
        " answer 503 if there are any.",
        Hint(
            "Anything that service.ping() raises means that the model is not there: except"
            " Exception.",
            "model",
        ),
        Hint(
            "A ping may never come back: put async with asyncio.timeout(0.5) around it, and treat"
            " TimeoutError like any other error.",
            "slow",
        ),
        Hint(
            "Read service's attributes inside the route's function, so that each request sees"
            " them as they are now.",
            "moment",
        ),
        'JSONResponse({"reasons": reasons}, status_code=503 if reasons else 200), where reasons'
        " is a list of model, queue and stopping. The queue is full when waiting >= most_waiting.",
    ],
)
def probes(answer: "Probes") -> Iterator[Case]:
    """A router with /livez and /readyz, which say how the service is at this moment."""
    from httpx2 import ReadTimeout

    from helpers.course.exercises.m05 import probing

    def followed(
        name: str,
        states: "Mapping[str, probing.State]",
        expect: Mapping[str, str],
        *slips: Slip,
        about: str = "",
        **begin: Any,
    ) -> Case:
        return Case(
            name,
            call=lambda: probing.followed(answer, states, **begin),
            show=f"GET /livez and GET /readyz: {', then '.join(states)}",
            expect=expect,
            slips=[*_SLIPS, *slips],
            about=about,
        )

    yield followed(
        "the model dies, and comes back",
        {"well": {}, "dead": {"fails": probing.ERROR}, "back": {"fails": None}},
        {"well": _WELL, "dead": _not("model"), "back": _WELL},
        Slip.when(
            "always-ready",
            lambda got: got["dead"] == _WELL,
            "It says ready, and every request would fail: the model does not answer a ping.",
        ),
        Slip.when(
            "one-for-both",
            lambda got: got["dead"].startswith("/livez 503"),
            "/livez says that the process should be restarted, which would not help here.",
        ),
        Slip.when(
            "never-again",
            lambda got: got["dead"] == got["back"] == _not("model"),
            "The model is back, and /readyz still says no.",
        ),
        about="moment",
    )
    yield followed(
        "whatever a ping raises",
        {
            repr(error): {"fails": error}
            for error in (
                ConnectionRefusedError("nobody there"),
                ReadTimeout("no answer"),
                TimeoutError(),
                RuntimeError("the engine has ended"),
                ValueError("no JSON"),
            )
        },
        dict.fromkeys(
            (
                "ConnectionRefusedError('nobody there')",
                "ReadTimeout('no answer')",
                "TimeoutError()",
                "RuntimeError('the engine has ended')",
                "ValueError('no JSON')",
            ),
            _not("model"),
        ),
        about="model",
    )
    yield followed(
        "the model is loading",
        {"loading": {}, "loaded": {"loaded": True}},
        {"loading": _not("model"), "loaded": _WELL},
        Slip.when(
            "not-loaded",
            lambda got: got["loading"] == _WELL,
            "It says ready before the weights are in memory: look at service.loaded.",
        ),
        about="moment",
        loaded=False,
    )
    yield followed(
        "the queue fills, and empties",
        {f"{count} of 3 wait": {"waiting": count} for count in (2, 3, 4, 0)},
        {
            "2 of 3 wait": _WELL,
            "3 of 3 wait": _not("queue"),
            "4 of 3 wait": _not("queue"),
            "0 of 3 wait": _WELL,
        },
        Slip.when(
            "full-too-late",
            lambda got: got["3 of 3 wait"] == _WELL,
            "The next request would be refused: the queue is full.",
        ),
        Slip.when(
            "full-only-exactly",
            lambda got: got["4 of 3 wait"] == _WELL,
            "More may wait than should, for a moment: the queue is full then, too.",
        ),
        about="moment",
        most_waiting=3,
    )
    yield followed(
        "the service is told to stop",
        {"well": {}, "stopping": {"stopping": True}},
        {"well": _WELL, "stopping": _not("stopping")},
        Slip.when(
            "stopping-ignored",
            lambda got: got["stopping"] == _WELL,
            "New requests would be cut off: service.stopping is set.",
        ),
        about="moment",
    )
    yield Case(
        "pings that take their time",
        call=lambda: probing.with_slow_pings(
            answer, {"0.3 s": 0.3, "0.8 s": 0.8, "2.5 s": 2.5, "never": probing.NEVER}
        ),
        show="GET /readyz of four services, whose pings take 0.3 s, 0.8 s, 2.5 s and for ever",
        expect={
            "0.3 s": "/readyz 200 no reason",
            **dict.fromkeys(("0.8 s", "2.5 s", "never"), "/readyz 503 model"),
            "answers after more than 1 s": [],
            "pings left running": 0,
        },
        slips=[
            Slip.when(
                "waits-without-end",
                lambda got: "never" in got["answers after more than 1 s"],
                "The platform takes a probe that does not answer for a dead process.",
            ),
            Slip.when(
                "impatient",
                lambda got: got["0.3 s"] == "/readyz 503 model",
                "A ping of 0.3 s is in time: it may take half a second.",
            ),
            Slip.when(
                "too-patient",
                lambda got: got["0.8 s"] == "/readyz 200 no reason",
                "A ping may take half a second, and this one took longer.",
            ),
            Slip.when(
                "ping-left-running",
                lambda got: got["pings left running"] > 0,
                "The answer is out, and its ping still runs: each probe leaves one more.",
            ),
        ],
        about="slow",
    )
    yield Case(
        "every combination",
        call=lambda: probing.wrongly_said(answer, probing.COMBINED),
        show=f"GET /readyz of one service, in {len(probing.COMBINED)} states",
        expect=Expectation(
            "the right answer in every state", judge=lambda got: got == [], show="\n".join
        ),
        slips=[
            Slip.when("said-twice", lambda got: _repeats(got[2].partition("got: ")[2]), _TWICE),
            Slip.when(
                "first-reason",
                lambda got: _reasons(got[2]) < _reasons(got[1]),
                "It leaves a reason out: people who read it fix one and find the next.",
            ),
        ],
    )
    yield Case(
        "two services in one process",
        call=lambda: probing.of_two(answer),
        show="GET /livez and GET /readyz: the first has lost its model, the second is stopping",
        expect={"first": _not("model"), "second": _not("stopping")},
        slips=_SLIPS,
        about="moment",
    )
    yield Case(
        "twenty requests at the same time",
        call=lambda: probing.pings_of(answer, 20),
        show="20 requests to /livez, then 20 to /readyz, when a ping takes 0.1 s",
        expect={
            "alive": 20,
            "pings by /livez": 0,
            "ready": 20,
            "more than one ping a request": False,
            "answers after more than 1 s": 0,
        },
        slips=[
            Slip.when(
                "live-pings",
                lambda got: got["pings by /livez"] > 0,
                "/livez pings the model: where the model is slow, the process looks dead.",
            ),
            Slip.when(
                "one-by-one",
                lambda got: got["answers after more than 1 s"] > 0,
                "They wait for each other: each request pings by itself.",
            ),
        ],
        about="live",
    )


def _reasons(told: str) -> set[str]:
    return set(told.partition("/readyz ")[2].replace(",", "").split()[1:])


def _repeats(told: str) -> bool:
    """Whether a reason is named more than once."""
    found = told.partition("/readyz ")[2].replace(",", "").split()[1:]
    return "body" not in found and len(found) > len(set(found))


def _any(test: Callable[[str], bool]) -> Callable[[dict[str, str]], bool]:
    return lambda got: any(test(told) for told in got.values())


_TWICE = "It names a reason twice: where two things point to the same one, name it once."

_SLIPS = (
    Slip.when(
        "no-route",
        _any(lambda told: "404" in told),
        "GET /livez and GET /readyz are both needed.",
    ),
    Slip.when(
        "uncaught",
        _any(lambda told: "/readyz 500" in told),
        "What a ping raises has to be caught, of whatever type it is.",
    ),
    Slip.when(
        "another-body",
        _any(lambda told: "with the body" in told),
        'The body of /readyz is {"reasons": [...]} and nothing else, also when it is ready.',
    ),
)
