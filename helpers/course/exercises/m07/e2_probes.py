"""Exercise 07.2: probes for a service that loads, is busy, pauses and hangs."""

from collections.abc import Callable, Iterator
from typing import Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise

_MOST_SHOWN = 3


def _any(part: str) -> Callable[[list[str]], bool]:
    return lambda got: any(part in line for line in got)


def _told(got: list[str]) -> str:
    more = [f"... and {len(got) - _MOST_SHOWN} more"] if len(got) > _MOST_SHOWN else []
    return "\n".join([*got[:_MOST_SHOWN], *more]) or "all as it should be"


_RULES = Expectation("all as it should be", judge=lambda got: got == [], show=_told)
_NOT_ACCEPTED = Slip.raises(
    "not-accepted", ValueError, "The API server would not accept this, so nothing was tried."
)
_RESTARTED = (
    Slip.when(
        "restarted-while-loading",
        _any("is restarted while it loads"),
        "It is restarted before its model is loaded, and then loads again, without end.",
    ),
    Slip.when(
        "restarted-when-loaded",
        _any("is restarted after it has loaded"),
        "It has loaded, and still a probe fails. Look at what this probe asks for.",
    ),
)


@exercise(
    "07.2",
    title="Probes that restart what hangs, and nothing else",
    gate=True,
    hints=[
        "Write down for each probe what it decides: startup, how long loading may take; readiness,"
        " who gets requests; liveness, who is restarted. Then choose path, period, timeout and"
        " threshold for that alone.",
        Hint(
            "periodSeconds times failureThreshold of the startup probe must cover 45 s, and end by"
            " 120 s. A short period tells early that loading is over; the readiness probe begins"
            " then.",
            "loading",
        ),
        Hint(
            "A busy service is slow, too: /livez takes 2.5 s, and the default timeout is 1 s. That"
            " holds for the startup probe as well: the service may be busy as soon as it has"
            " loaded.",
            "restarts",
        ),
        Hint(
            "While it is busy, a pause adds up to 8 s to the 2.5 s. Count the probes in a row that"
            " begin in the pause and get no answer in time: failureThreshold must be greater. When"
            " loading takes 45 s, the startup probe must outlast a pause as well.",
            "restarts",
        ),
        Hint(
            "The service becomes busy just after a probe. Until the readiness probe has failed"
            " failureThreshold times, that many periods pass. They must fit into 10 s, and one 503"
            " alone must not be enough.",
            "requests",
        ),
        Hint(
            "Add up the worst case: the hang begins just after a probe. Then failureThreshold"
            " periods pass, the last timeout, and the grace period.",
            "hang",
        ),
        Hint(
            "A hung process uses all of its grace period. The livenessProbe may have a"
            " terminationGracePeriodSeconds of its own, shorter than the pod's 60 s.",
            "hang",
        ),
    ],
)
def probes(answer: Any) -> Iterator[Case]:
    """Three probes whose container is restarted when it hangs, and never otherwise."""
    from helpers.course.exercises.m07 import kubelets

    def further(look: Callable[[object], list[str]]) -> list[str]:
        """A case after the first one, which tells what is wrong with the text itself."""
        try:
            kubelets.container(answer)
        except ValueError:
            raise ValueError("nothing to try: the first case says why") from None
        return look(answer)

    yield Case(
        "loading",
        call=lambda: kubelets.loading(answer),
        show="a fake kubelet with your probes; loading takes 20 s, up to 45 s, and for ever",
        expect=_RULES,
        slips=[
            _NOT_ACCEPTED,
            *_RESTARTED,
            Slip.when(
                "too-early",
                _any("requests after"),
                "Nobody listens yet: these requests are lost.",
            ),
            Slip.when(
                "ready-too-late",
                _any("it gets requests"),
                "Its model is loaded, and for more than 5 s it gets no requests.",
            ),
            Slip.when(
                "load-without-end",
                _any("loading hangs"),
                "Loading may hang, too: 120 s after its start such a process has to be gone.",
            ),
        ],
        about="loading",
    )
    yield Case(
        "no restart when it is busy or pauses",
        call=lambda: further(kubelets.kept),
        show="a fake kubelet with your probes; pauses of 8 s, each beginning at 30 moments or more",
        expect=_RULES,
        slips=[
            _NOT_ACCEPTED,
            *_RESTARTED,
            Slip.when(
                "busy-restarted",
                lambda got: any("busy" in line and "pauses" not in line for line in got),
                "It is busy, and not dead. A restart makes the others busier.",
            ),
            Slip.when(
                "impatient",
                _any("pauses"),
                "It would have gone on by itself: this probe gives up too soon.",
            ),
        ],
        about="restarts",
    )
    yield Case(
        "requests when it is busy, and one 503 alone",
        call=lambda: further(kubelets.requests),
        show="a fake kubelet with your probes; the service becomes busy at 21 moments or more",
        expect=_RULES,
        slips=[
            _NOT_ACCEPTED,
            Slip.when(
                "busy-served",
                _any("gets requests"),
                "It says that it is busy, and still gets requests.",
            ),
            Slip.when(
                "back-too-late",
                _any("gets no requests 10 s"),
                "It is free again, and gets no requests.",
            ),
            Slip.when(
                "one-503",
                _any("one 503 alone"),
                "One 503 says little. Let the readiness probe fail twice in a row.",
            ),
        ],
        about="requests",
    )
    yield Case(
        "a hang",
        call=lambda: further(kubelets.hanging),
        show="a fake kubelet with your probes; hangs that begin at 41 moments or more",
        expect=_RULES,
        slips=[
            _NOT_ACCEPTED,
            Slip.when(
                "hang-not-seen",
                _any("is ended never"),
                "It hangs, and nobody restarts it.",
            ),
            Slip.when(
                "hang-ends-late",
                _any("the process is ended"),
                "Add up the time until the last failure, and then the grace period.",
            ),
            Slip.when(
                "hang-served",
                _any("gets requests"),
                "It answers nothing, and still gets requests.",
            ),
        ],
        about="hang",
    )
