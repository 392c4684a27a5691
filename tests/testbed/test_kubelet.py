"""The kubelet of the testbed does what Kubernetes documents.

The rules are those of "Configure Liveness, Readiness and Startup Probes" and of "Pod Lifecycle";
each test names the sentence that it holds.
"""

import math
from typing import Any

import pytest

from helpers.testbed.kubelet import Event, ready_times, run
from helpers.testbed.pods import LoadingService

LIVE = {"httpGet": {"path": "/livez", "port": 8000}}
READY = {"httpGet": {"path": "/readyz", "port": 8000}}
CONNECT = {"tcpSocket": {"port": 8000}}


def at(events: list[Event], what: str) -> list[float]:
    return [event.at for event in events if event.what == what]


def life(seconds: float = 100, *, grace: int = 30, **probes: Any) -> Any:
    """Run one service with the same behaviour at each start."""

    def of(**behaviour: Any) -> list[Event]:
        return run(probes, lambda _: LoadingService(**behaviour), seconds, grace=grace)

    return of


def test_without_probes_a_container_is_ready_at_once_and_never_restarted() -> None:
    # "If a container does not provide a readiness probe, the default state is Success."
    assert life()(loads_s=50, hangs_at=60) == [Event(0, "started"), Event(0, "ready")]


def test_the_defaults_are_a_period_of_ten_seconds_and_three_failures() -> None:
    # Asked at 0, 10 and 20, when nobody listens.
    assert at(life(livenessProbe=LIVE)(loads_s=25), "stopping")[0] == 20
    assert at(life(livenessProbe=LIVE)(loads_s=20), "stopping") == []


def test_the_default_timeout_is_one_second() -> None:
    events = life(livenessProbe=LIVE)(loads_s=0, busy=[(0, 100)], busy_s=1.1)
    assert at(events, "stopping")[0] == 21  # the third began at 20, and was given up a second later
    assert at(life(livenessProbe=LIVE)(loads_s=0, busy=[(0, 100)], busy_s=1.0), "stopping") == []


def test_the_delay_is_counted_from_the_container_s_start() -> None:
    probe = LIVE | {"initialDelaySeconds": 30, "failureThreshold": 1}
    assert at(life(livenessProbe=probe)(loads_s=30), "stopping") == []
    assert at(life(livenessProbe=probe)(loads_s=31), "stopping")[0] == 30


def test_failures_count_in_a_row() -> None:
    # "After a probe fails failureThreshold times in a row"
    probe = LIVE | {"periodSeconds": 5, "failureThreshold": 2}
    apart = [(9.0, 11.5), (19.0, 21.5)]  # the probes at 10 and at 20
    assert at(life(livenessProbe=probe)(loads_s=0, pauses=apart), "stopping") == []
    assert at(life(livenessProbe=probe)(loads_s=0, pauses=[(9.0, 17.0)]), "stopping")[0] == 16


@pytest.mark.parametrize(("status", "ok"), [(199, False), (200, True), (399, True), (400, False)])
def test_a_status_from_200_to_399_is_a_success(status: int, ok: bool) -> None:
    # "Any code greater than or equal to 200 and less than 400 indicates success."
    class Fixed(LoadingService):
        def get(self, path: str, at: float) -> Any:
            return super().get(path, at)._replace(status=status)

    events = run({"readinessProbe": READY}, lambda _: Fixed(loads_s=0), 50)
    assert bool(at(events, "ready")) is ok


def test_a_startup_probe_holds_off_the_other_two() -> None:
    # "liveness and readiness probes do not start until it succeeds"
    patient = CONNECT | {"periodSeconds": 10, "failureThreshold": 30}
    impatient = LIVE | {"periodSeconds": 1, "failureThreshold": 1}
    events = life(300, startupProbe=patient, livenessProbe=impatient, readinessProbe=READY)(
        loads_s=95
    )
    assert at(events, "stopping") == []
    assert at(events, "ready") == [100.1]


def test_delays_begin_when_the_startup_probe_has_succeeded() -> None:
    # "liveness and readiness probe delays do not begin until the startup probe has succeeded"
    late = READY | {"initialDelaySeconds": 7}
    events = life(startupProbe=CONNECT, readinessProbe=late)(loads_s=15)
    assert at(events, "ready") == [pytest.approx(27.1)]


def test_a_startup_probe_that_never_succeeds_ends_the_container() -> None:
    # "the container is killed after 300s"
    patient = CONNECT | {"periodSeconds": 10, "failureThreshold": 30}
    events = life(400, startupProbe=patient)(loads_s=math.inf)
    assert at(events, "stopping") == [290]  # the thirtieth of those at 0, 10, ...
    assert ready_times(events) == []


def test_a_startup_probe_runs_no_more_once_it_has_succeeded() -> None:
    once = LIVE | {"failureThreshold": 1}
    assert at(life(startupProbe=once)(loads_s=0, hangs_at=5), "stopping") == []


def test_readiness_restarts_nothing_and_goes_on() -> None:
    # "the kubelet continues running the container that failed checks"
    probe = READY | {"periodSeconds": 2, "failureThreshold": 2}
    events = life(readinessProbe=probe)(loads_s=5, busy=[(21, 40)])
    assert at(events, "stopping") == []
    assert ready_times(events) == [(6.1, 24.1), (40.1, math.inf)]


def test_a_success_threshold_counts_successes_in_a_row() -> None:
    probe = READY | {"periodSeconds": 2, "successThreshold": 3}
    assert at(life(readinessProbe=probe)(loads_s=0), "ready") == [4.1]
    alone = frozenset({1})  # the second request
    assert at(life(readinessProbe=probe)(loads_s=0, lone=alone), "ready") == [8.1]


def test_a_container_is_not_ready_before_its_first_success() -> None:
    # "The default state of readiness before the initial delay is Failure."
    probe = READY | {"initialDelaySeconds": 9, "failureThreshold": 9}
    assert at(life(readinessProbe=probe)(loads_s=0), "ready") == [9.1]


def test_the_grace_period_is_the_pod_s_and_a_hang_uses_all_of_it() -> None:
    events = life(grace=45, livenessProbe=LIVE)(loads_s=0, hangs_at=5)
    assert (at(events, "stopping")[0], at(events, "ended")[0]) == (31, 76)


def test_a_probe_s_own_grace_period_comes_first() -> None:
    # "the kubelet will use the probe-level value"
    probe = LIVE | {"terminationGracePeriodSeconds": 5}
    events = life(grace=45, livenessProbe=probe)(loads_s=0, hangs_at=5)
    assert at(events, "ended")[0] == 36


def test_a_container_that_obeys_sigterm_ends_before_the_grace_period() -> None:
    events = life(livenessProbe=LIVE)(loads_s=0, pauses=[(5, 95)])
    assert (at(events, "stopping")[0], at(events, "ended")[0]) == (31, 32)


def test_restarts_come_at_once_then_after_10_20_40_and_at_most_300_seconds() -> None:
    # "exponential backoff delay (10s, 20s, 40s, …), that is capped at 300 seconds"
    never = CONNECT | {"periodSeconds": 1, "failureThreshold": 1}
    events = life(2000, startupProbe=never)(loads_s=math.inf)
    ends, starts = at(events, "ended"), at(events, "started")[1:]
    waits = [begin - end for begin, end in zip(starts, ends, strict=False)]
    assert waits[:8] == [0, 10, 20, 40, 80, 160, 300, 300]


def test_ten_minutes_without_a_problem_reset_the_delay() -> None:
    # "Once a container has executed for 10 minutes without any problems"
    quick = LIVE | {"periodSeconds": 1, "failureThreshold": 1, "terminationGracePeriodSeconds": 1}
    lives = [5, 5, 700, 5, 5]
    events = run(
        {"livenessProbe": quick},
        lambda start: LoadingService(loads_s=0, hangs_at=lives[min(start, 4)]),
        900,
    )
    ends, starts = at(events, "ended"), at(events, "started")[1:]
    waits = [begin - end for begin, end in zip(starts, ends, strict=False)]
    assert waits[:4] == [0, 10, 0, 10]


def test_each_start_makes_a_new_process() -> None:
    probe = CONNECT | {"periodSeconds": 1, "failureThreshold": 10}
    asked: list[int] = []

    def start(number: int) -> LoadingService:
        asked.append(number)
        return LoadingService(loads_s=math.inf if number == 0 else 3)

    events = run({"startupProbe": probe}, start, 60)
    assert asked == [0, 1]
    assert ready_times(events, 60) == [(13, 60)]  # 9 s, then 1 to end, then 3 to load


def test_a_container_that_ends_is_ready_no_more() -> None:
    slow = READY | {"periodSeconds": 60}
    events = life(livenessProbe=LIVE, readinessProbe=slow)(loads_s=0, pauses=[(5, 95)])
    assert ready_times(events)[0] == (0.1, 32)


def test_a_tcp_probe_only_connects_so_it_does_not_see_a_hang() -> None:
    assert at(life(livenessProbe=CONNECT)(loads_s=0, hangs_at=5), "stopping") == []


def test_a_probe_that_takes_longer_than_its_period_delays_the_next() -> None:
    probe = LIVE | {"periodSeconds": 1, "timeoutSeconds": 4, "failureThreshold": 3}
    assert at(life(livenessProbe=probe)(loads_s=0, hangs_at=0), "stopping")[0] == 12


def test_a_port_may_have_a_name() -> None:
    named = {"httpGet": {"path": "/readyz", "port": "http"}}
    container = {"ports": [{"name": "http", "containerPort": 8000}], "readinessProbe": named}
    assert at(run(container, lambda _: LoadingService(loads_s=0), 50), "ready") == [0.1]
    container["ports"] = [{"name": "web", "containerPort": 8000}]
    with pytest.raises(ValueError, match="readinessProbe asks port http"):
        run(container, lambda _: LoadingService(), 50)


@pytest.mark.parametrize(
    ("name", "probe", "said"),
    [
        ("livenessProbe", LIVE | {"periodSecond": 5}, "has no field periodSecond"),
        ("livenessProbe", LIVE | {"periodSeconds": 0}, "at least 1"),
        ("livenessProbe", LIVE | {"periodSeconds": 2.5}, "whole number"),
        ("livenessProbe", LIVE | {"timeoutSeconds": "5"}, "whole number"),
        ("livenessProbe", LIVE | {"failureThreshold": True}, "whole number"),
        ("livenessProbe", LIVE | {"initialDelaySeconds": -1}, "at least 0"),
        ("livenessProbe", LIVE | {"successThreshold": 2}, "must be 1"),
        ("startupProbe", LIVE | {"successThreshold": 2}, "must be 1"),
        ("readinessProbe", READY | {"terminationGracePeriodSeconds": 5}, "ends nothing"),
        ("livenessProbe", LIVE | {"terminationGracePeriodSeconds": 0}, "at least 1"),
        ("livenessProbe", LIVE | CONNECT, "exactly one"),
        ("livenessProbe", {"periodSeconds": 5}, "exactly one"),
        ("livenessProbe", {"exec": {"command": ["true"]}}, "not run here"),
        ("livenessProbe", {"httpGet": {"path": "/livez"}}, "needs a port"),
        ("livenessProbe", {"tcpSocket": {"port": 1, "path": "/"}}, "no field path"),
        ("livenessProbe", "GET /livez", "must be a mapping"),
    ],
)
def test_what_the_api_server_rejects_is_an_error(name: str, probe: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run({name: probe}, lambda _: LoadingService(), 10)


def test_events_read_like_a_log() -> None:
    assert str(Event(31.0, "stopping", "the livenessProbe failed 3 times")) == (
        "   31.0 s  stopping: the livenessProbe failed 3 times"
    )
