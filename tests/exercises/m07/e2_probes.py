"""Answers to exercise 07.2: probes that are right, and ways to be too impatient or too patient."""

from typing import Any

import yaml

from helpers.authoring.answers import right, wrong

LIVEZ = {"path": "/livez", "port": "http"}
READYZ = {"path": "/readyz", "port": "http"}
STARTUP = {"httpGet": LIVEZ, "periodSeconds": 2, "timeoutSeconds": 4, "failureThreshold": 40}
READY = {"httpGet": READYZ, "periodSeconds": 3, "failureThreshold": 2}
LIVE = {
    "httpGet": LIVEZ,
    "periodSeconds": 5,
    "timeoutSeconds": 4,
    "failureThreshold": 4,
    "terminationGracePeriodSeconds": 10,
}


def text(
    startup: dict[str, Any] | None = STARTUP,
    ready: dict[str, Any] | None = READY,
    live: dict[str, Any] | None = LIVE,
) -> str:
    probes = {"startupProbe": startup, "readinessProbe": ready, "livenessProbe": live}
    return yaml.safe_dump({name: one for name, one in probes.items() if one is not None})


def without(probe: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in probe.items() if name != field}


@wrong("No probe at all.", slip="too-early")
def no_probes() -> object:
    return "{}"


@wrong("No startup probe.", slip="restarted-while-loading")
def no_startup() -> object:
    return text(startup=None)


@wrong("No startup probe, and a liveness probe that waits 60 s first.", slip="hang-ends-late")
def a_delay_instead() -> object:
    return text(startup=None, live=LIVE | {"initialDelaySeconds": 60})


@wrong("No readiness probe.", slip="busy-served")
def no_readiness() -> object:
    return text(ready=None)


@wrong("No liveness probe.", slip="hang-not-seen")
def no_liveness() -> object:
    return text(live=None)


@wrong("A startup probe with the default threshold.", slip="restarted-while-loading")
def default_threshold() -> object:
    return text(startup=without(STARTUP, "failureThreshold"))


@wrong("A startup probe that gives 44 s.", slip="restarted-while-loading")
def a_start_of_44_seconds() -> object:
    return text(startup=STARTUP | {"failureThreshold": 23})


@wrong("A startup probe that gives five minutes.", slip="load-without-end")
def five_minutes() -> object:
    return text(startup=STARTUP | {"failureThreshold": 150})


@wrong("A startup probe every ten seconds.", slip="ready-too-late")
def asks_every_ten_seconds() -> object:
    return text(startup=STARTUP | {"periodSeconds": 10, "failureThreshold": 8})


@wrong("A startup probe that waits 60 s first.", slip="ready-too-late")
def waits_first() -> object:
    return text(startup=STARTUP | {"initialDelaySeconds": 60, "failureThreshold": 20})


@wrong("A startup probe that asks /readyz.", slip="busy-restarted")
def startup_asks_readyz() -> object:
    return text(startup=STARTUP | {"httpGet": READYZ})


@wrong("A startup probe with the default timeout.", slip="busy-restarted")
def startup_default_timeout() -> object:
    return text(startup=without(STARTUP, "timeoutSeconds"))


@wrong("Liveness asks /readyz.", slip="busy-restarted")
def live_asks_readyz() -> object:
    return text(live=LIVE | {"httpGet": READYZ})


@wrong("Liveness has the default timeout.", slip="busy-restarted")
def live_default_timeout() -> object:
    return text(live=without(LIVE, "timeoutSeconds"))


@wrong("Readiness asks /livez.", slip="busy-served")
def ready_asks_livez() -> object:
    return text(ready=READY | {"httpGet": LIVEZ, "timeoutSeconds": 3})


@wrong("Readiness gives up after a single failure.", slip="one-503")
def ready_gives_up_at_once() -> object:
    return text(ready=READY | {"failureThreshold": 1})


@wrong("Readiness asks every six seconds.", slip="busy-served")
def ready_asks_seldom() -> object:
    return text(ready=READY | {"periodSeconds": 6})


@wrong("Readiness wants five successes in a row.", slip="back-too-late")
def ready_comes_back_slowly() -> object:
    return text(ready=READY | {"successThreshold": 5})


@wrong("Readiness has a timeout of seven seconds.", slip="hang-served")
def ready_waits_long() -> object:
    return text(ready=READY | {"timeoutSeconds": 7})


@wrong("Liveness gives up after one failure.", slip="impatient")
def live_gives_up_at_once() -> object:
    return text(live=LIVE | {"failureThreshold": 1})


@wrong("Liveness asks every two seconds, and gives up after two failures.", slip="impatient")
def live_hurries() -> object:
    return text(live=LIVE | {"periodSeconds": 2, "failureThreshold": 2, "timeoutSeconds": 3})


@wrong("One failure is enough, after a timeout that a busy pause outlasts.", slip="impatient")
def live_waits_ten_seconds() -> object:
    return text(
        live=LIVE
        | {
            "periodSeconds": 10,
            "timeoutSeconds": 10,
            "failureThreshold": 1,
            "terminationGracePeriodSeconds": 5,
        }
    )


@wrong("One failure is enough, after nine seconds.", slip="impatient")
def live_waits_nine_seconds() -> object:
    return text(
        live=LIVE
        | {
            "periodSeconds": 5,
            "timeoutSeconds": 9,
            "failureThreshold": 1,
            "terminationGracePeriodSeconds": 5,
        }
    )


@wrong("Two failures of five seconds, which a pause alone never causes.", slip="impatient")
def live_twice_five() -> object:
    return text(live=LIVE | {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2})


@wrong("Three failures of three seconds, which a pause alone never causes.", slip="impatient")
def live_thrice_three() -> object:
    return text(live=LIVE | {"periodSeconds": 3, "timeoutSeconds": 3, "failureThreshold": 3})


@wrong("The startup probe gives up in a pause at the end of loading.", slip="impatient")
def startup_ends_in_a_pause() -> object:
    return text(startup=STARTUP | {"periodSeconds": 2, "failureThreshold": 25, "timeoutSeconds": 3})


@wrong("A startup probe that is over before such a pause is.", slip="impatient")
def startup_every_second() -> object:
    return text(startup=STARTUP | {"periodSeconds": 1, "failureThreshold": 47, "timeoutSeconds": 3})


@wrong("Liveness asks a path that is not there.", slip="restarted-when-loaded")
def live_asks_the_root() -> object:
    return text(live=LIVE | {"httpGet": {"path": "/", "port": "http"}})


@wrong("Readiness has the default values.", slip="busy-served")
def ready_by_default() -> object:
    return text(ready={"httpGet": READYZ})


@right("Fewer failures, and longer timeouts.")
def longer_timeouts() -> object:
    return text(
        startup=STARTUP | {"failureThreshold": 30, "timeoutSeconds": 5},
        live=LIVE | {"failureThreshold": 3, "timeoutSeconds": 5},
    )


@wrong("The pod's grace period of 60 s.", slip="hang-ends-late")
def the_pod_s_grace() -> object:
    return text(live=without(LIVE, "terminationGracePeriodSeconds"))


@wrong("Liveness every ten seconds.", slip="hang-ends-late")
def live_asks_seldom() -> object:
    return text(live=LIVE | {"periodSeconds": 10})


@wrong("Liveness only connects, and a hung process still listens.", slip="hang-not-seen")
def live_connects() -> object:
    return text(live=without(LIVE, "httpGet") | {"tcpSocket": {"port": 8000}})


@wrong("A field mistyped.", slip="not-accepted")
def mistyped() -> object:
    return text(live=without(LIVE, "periodSeconds") | {"periodSecond": 5})


@wrong("A period of half a second.", slip="not-accepted")
def half_a_second() -> object:
    return text(ready=READY | {"periodSeconds": 0.5})


@wrong("A grace period for readiness.", slip="not-accepted")
def grace_for_readiness() -> object:
    return text(ready=READY | {"terminationGracePeriodSeconds": 10})


@wrong("A whole container.", slip="not-accepted")
def whole_container() -> object:
    return "containers:\n  - " + text().replace("\n", "\n    ")


@wrong("No YAML.", slip="not-accepted")
def no_yaml() -> object:
    return "startupProbe: {httpGet: [}"


@wrong("A list of probes.", slip="not-accepted")
def a_list() -> object:
    return [STARTUP, READY, LIVE]


@right("Startup and readiness by other numbers.")
def other_numbers() -> object:
    return text(
        startup=STARTUP | {"periodSeconds": 1, "failureThreshold": 100},
        ready=READY | {"periodSeconds": 2, "failureThreshold": 3, "timeoutSeconds": 2},
        live=LIVE | {"periodSeconds": 10, "failureThreshold": 2, "timeoutSeconds": 5},
    )


@right("The startup probe only connects: the port opens when the model is loaded.")
def startup_connects() -> object:
    probe = {"tcpSocket": {"port": "http"}, "periodSeconds": 3, "failureThreshold": 30}
    return text(startup=probe)


@right("A short grace period, and patience before it.")
def more_patience() -> object:
    live = LIVE | {"periodSeconds": 10, "failureThreshold": 3, "terminationGracePeriodSeconds": 2}
    return text(live=live)


@right("Numbers for ports, and a readiness probe every second.")
def every_second() -> object:
    ready = {"httpGet": {"path": "/readyz", "port": 8000}, "periodSeconds": 1}
    return text(ready=ready | {"failureThreshold": 5})


@wrong("A dict instead of its text.", slip="not-accepted")
def a_dict() -> object:
    return {"startupProbe": STARTUP, "readinessProbe": READY, "livenessProbe": LIVE}


@right("A long wait before liveness, which the startup probe makes needless.")
def a_delay_as_well() -> object:
    return text(live=LIVE | {"initialDelaySeconds": 5})
