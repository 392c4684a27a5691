"""Answers to exercise 07.3, each a right one with a part that is another."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from helpers.authoring.answers import right, wrong
from helpers.testbed.measured import Measured


def up(number: float | Fraction, step: int) -> int:
    return step * math.ceil(number / step)


class Parts:
    """The rules, one method each; the answers below change one."""

    def memory(self, one: Measured) -> str:
        return f"{up(max(one.memory) * 1.25, 16)}Mi"

    def limit(self, one: Measured) -> dict[str, str]:
        return {"memory": f"{up(max(one.memory) * 1.5, 16)}Mi"}

    def usual(self, one: Measured) -> float:
        return sorted(one.cpu)[: len(one.cpu) - len(one.cpu) // 10][-1]

    def cpu(self, one: Measured) -> Any:
        return f"{max(50, up(self.usual(one) * 1.25, 50))}m"

    def start(self, one: Measured) -> int:
        return math.ceil(max(one.starts) * 0.75)

    def pods(self, one: Measured) -> Any:
        return max(2, 1 + math.ceil(one.busiest / (one.per_pod * 0.75)))

    def pause(self, one: Measured) -> int:
        return int(one.last_arrival) + 1

    def grace(self, one: Measured) -> Any:
        return math.ceil(self.pause(one) + one.longest * 1.25)

    def look(self, one: Measured) -> None:
        for name in ("memory", "cpu", "starts"):
            if getattr(one, name) == []:
                raise ValueError(f"no samples of {name}")
        if one.per_pod < 1:
            raise ValueError("per_pod is too small")

    def __call__(self, one: Measured) -> Any:
        self.look(one)
        return {
            "terminationGracePeriodSeconds": self.grace(one),
            "replicas": self.pods(one),
            "lifecycle": {"preStop": {"sleep": {"seconds": self.pause(one)}}},
            "startupProbe": {"failureThreshold": self.start(one), "periodSeconds": 2},
            "resources": {
                "limits": self.limit(one),
                "requests": {"memory": self.memory(one), "cpu": self.cpu(one)},
            },
        }


def but(**methods: Callable[..., Any]) -> object:
    changed: Any = type("Changed", (Parts,), methods)()
    return lambda measured: changed(measured)


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda measured: None


@wrong("The request is the peak.")
def no_headroom() -> object:
    return but(memory=lambda self, one: f"{up(max(one.memory), 16)}Mi")


@wrong("The limit is the request.")
def limit_is_request() -> object:
    return but(limit=lambda self, one: {"memory": self.memory(one)})


@wrong("Memory is rounded down.")
def memory_rounded_down() -> object:
    return but(memory=lambda self, one: f"{int(max(one.memory) * 1.25) // 16 * 16}Mi")


@wrong("Memory always gets another 16Mi.")
def memory_one_more() -> object:
    return but(memory=lambda self, one: f"{(int(max(one.memory) * 1.25) // 16 + 1) * 16}Mi")


@wrong("Rounds first, adds headroom then.")
def rounds_first() -> object:
    return but(memory=lambda self, one: f"{math.ceil(up(max(one.memory), 16) * 1.25)}Mi")


@wrong("Thousands and not 1,024ths.")
def megabytes() -> object:
    return but(memory=lambda self, one: f"{up(max(one.memory) * 1.25, 16)}M")


@wrong("The mean of memory.")
def mean_memory() -> object:
    return but(memory=lambda self, one: f"{up(sum(one.memory) / len(one.memory) * 1.25, 16)}Mi")


@wrong("A CPU limit.", slip="cpu-limit")
def cpu_limit() -> object:
    return but(limit=lambda self, one: {**Parts.limit(self, one), "cpu": self.cpu(one)})


@wrong("All CPU samples count.", slip="all-samples")
def all_samples() -> object:
    return but(usual=lambda self, one: max(one.cpu))


@wrong("A tenth is rounded up.")
def tenth_rounded_up() -> object:
    return but(usual=lambda self, one: sorted(one.cpu)[-1 - math.ceil(len(one.cpu) / 10)])


@wrong("The last tenth of the test is left out, and not the highest.")
def last_tenth() -> object:
    return but(usual=lambda self, one: max(one.cpu[: len(one.cpu) - len(one.cpu) // 10]))


@wrong("At least nothing.")
def no_least() -> object:
    return but(cpu=lambda self, one: f"{up(self.usual(one) * 1.25, 50)}m")


@wrong("CPU in cores.")
def cores() -> object:
    return but(cpu=lambda self, one: max(50, up(self.usual(one) * 1.25, 50)))


@wrong("A float for CPU.")
def float_cpu() -> object:
    return but(cpu=lambda self, one: max(50, up(self.usual(one) * 1.25, 50)) / 1000)


@wrong("No spare pod.", slip="no-spare")
def no_spare() -> object:
    return but(pods=lambda self, one: max(2, math.ceil(one.busiest / (one.per_pod * 0.75))))


@wrong("All pods at 100%.")
def full_pods() -> object:
    return but(pods=lambda self, one: max(2, 1 + math.ceil(one.busiest / one.per_pod)))


@wrong("One pod is enough.")
def one_pod() -> object:
    return but(pods=lambda self, one: 1 + math.ceil(one.busiest / (one.per_pod * 0.75)))


@wrong("One pod too many where the pods are just enough.")
def one_too_many() -> object:
    return but(pods=lambda self, one: max(2, 2 + int(one.busiest / (one.per_pod * 0.75))))


@wrong("Replicas as a float.")
def float_replicas() -> object:
    return but(pods=lambda self, one: float(Parts.pods(self, one)))


@wrong("The usual start, and not the slowest.")
def first_start() -> object:
    return but(start=lambda self, one: math.ceil(one.starts[0] * 0.75))


@wrong("The threshold is in seconds.")
def threshold_in_seconds() -> object:
    return but(start=lambda self, one: math.ceil(max(one.starts) * 1.5))


@wrong("preStop ends with the last arrival.")
def pause_rounded_up() -> object:
    return but(pause=lambda self, one: math.ceil(one.last_arrival))


@wrong("The grace period leaves out preStop.", slip="without-pre-stop")
def grace_alone() -> object:
    return but(grace=lambda self, one: math.ceil(one.longest * 1.25))


@wrong("The grace period has no headroom.")
def grace_without_headroom() -> object:
    return but(grace=lambda self, one: self.pause(one) + math.ceil(one.longest))


@wrong("The grace period is not rounded.")
def grace_not_rounded() -> object:
    return but(grace=lambda self, one: self.pause(one) + one.longest * 1.25)


@wrong("Sorts the samples in place.")
def sorts_in_place() -> object:
    def usual(self: Parts, one: Measured) -> float:
        one.cpu.sort()
        return one.cpu[-1 - len(one.cpu) // 10]

    return but(usual=usual)


@wrong("Bad input is not looked at.")
def looks_at_nothing() -> object:
    return but(look=lambda self, one: None)


@wrong("The message does not name the field.")
def names_no_field() -> object:
    def look(self: Parts, one: Measured) -> None:
        if not (one.memory and one.cpu and one.starts and one.per_pod > 0):
            raise ValueError("bad input")

    return but(look=look)


@wrong("One message for all fields.")
def names_all_fields() -> object:
    def look(self: Parts, one: Measured) -> None:
        if not (one.memory and one.cpu and one.starts and one.per_pod > 0):
            raise ValueError("memory, cpu and starts must not be empty, and per_pod at least 1")

    return but(look=look)


@wrong("A negative rate is not looked at.")
def negative_rate() -> object:
    def look(self: Parts, one: Measured) -> None:
        for name in ("memory", "cpu", "starts", "per_pod"):
            if not getattr(one, name):
                raise ValueError(f"{name} is missing")

    return but(look=look)


@wrong("What a pod carries is rounded down first.")
def whole_rate() -> object:
    def pods(self: Parts, one: Measured) -> int:
        return max(2, math.ceil(one.busiest / (int(one.per_pod * 0.75) or 1)) + 1)

    return but(pods=pods)


@wrong("What a pod carries is rounded.")
def rounded_rate() -> object:
    def pods(self: Parts, one: Measured) -> int:
        return max(2, math.ceil(one.busiest / (round(one.per_pod * 0.75) or 1)) + 1)

    return but(pods=pods)


@wrong("It is async.", slip="async")
def is_async() -> object:
    async def size(measured: Measured) -> Any:
        return Parts()(measured)

    return size


@wrong("A field that nobody asked for.")
def one_more_field() -> object:
    return lambda measured: Parts()(measured) | {"image": "shop/agent:1.4.0"}


@right("One method for each rule.")
def methods() -> object:
    return but()


@right("Exact fractions, and quantities in other notations.")
def fractions() -> object:
    def cpu(self: Parts, one: Measured) -> str:
        millis = max(50, up(Fraction(5, 4) * Parts.usual(self, one), 50))
        return str(millis // 1000) if millis % 1000 == 0 else f"{millis}m"

    def memory(self: Parts, one: Measured) -> str:
        return f"{up(Fraction(5, 4) * max(one.memory), 16) * 1024}Ki"

    return but(cpu=cpu, memory=memory)


@right("Integers alone.")
def integers() -> object:
    return but(
        pods=lambda self, one: max(2, 1 - (-4 * one.busiest // (3 * one.per_pod))),
        memory=lambda self, one: f"{-(-5 * max(one.memory) // 64) * 16}Mi",
        limit=lambda self, one: {"memory": -(-3 * max(one.memory) // 32) * 16 * 1024**2},
    )


@right("Leaves out the highest samples one by one.")
def one_by_one() -> object:
    def usual(self: Parts, one: Measured) -> float:
        left = list(one.cpu)
        for _ in range(len(left) // 10):
            left.remove(max(left))
        return max(left)

    return but(usual=usual)


@right("Counts the pods up.")
def counts_up() -> object:
    def pods(self: Parts, one: Measured) -> int:
        count = 2
        while (count - 1) * one.per_pod * 0.75 < one.busiest:
            count += 1
        return count

    return but(pods=pods)


@right("CPU as a decimal text.")
def decimal_cpu() -> object:
    return but(cpu=lambda self, one: f"{max(50, up(self.usual(one) * 1.25, 50)) / 1000:.2f}")
