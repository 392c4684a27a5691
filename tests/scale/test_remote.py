"""The gateway's engine, with replicas that die at chosen places."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from ray.exceptions import ActorDiedError, RayTaskError
from ray.serve.exceptions import DeploymentUnavailableError

from helpers.scale.remote import RemoteEngine, RemoteThreads, remote_engines
from helpers.service.errors import Problem
from helpers.service.turn import Message, Outcome, Turn

TURN = Turn(UUID(int=1), "C-0042", (Message("user", "Hi"),), 10, thread="C-0042/a")
TOOL = ("tool", {"name": "search_documents", "args": {}, "status": "started"})
END: dict[str, Any] = {
    "thread": ("m1", "m2"),
    "tool_calls": [TOOL[1]],
    "passages": [],
    "input_tokens": 3,
    "output_tokens": 4,
    "finish_reason": "stop",
}


class Stream:
    """One replica's stream: lists of parts, or an exception that ends it."""

    def __init__(self, steps: list[Any]) -> None:
        self._steps = steps
        self.cancelled = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        for step in self._steps:
            if isinstance(step, Exception):
                raise step
            yield step

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Replicas:
    """A handle: each call is answered by the next stream."""

    streams: list[Stream]
    turns: list[Turn] = field(default_factory=list)

    def options(self, **_: Any) -> "Replicas":
        return self

    @property
    def answer(self) -> "Replicas":
        return self

    def remote(self, path: str, turn: Turn) -> Stream:
        self.turns.append(turn)
        return self.streams[len(self.turns) - 1]


def died() -> Exception:
    return ActorDiedError()


def replicas(*tries: list[Any]) -> Replicas:
    return Replicas([Stream([*steps]) for steps in tries])


async def answered(handle: Replicas, outcome: Outcome | None = None) -> list[tuple[str, Any]]:
    engine = RemoteEngine("agent", handle, RemoteThreads())
    return [(e.name, e.data) async for e in engine.events(TURN, outcome or Outcome())]


def words(*texts: str) -> list[tuple[str, Any]]:
    return [("token", {"text": text}) for text in texts]


async def test_one_event_a_token_however_they_are_sent_together() -> None:
    outcome = Outcome()
    handle = replicas([[TOOL, "It ", "weighs"], [" 2 kg."], [("end", {**END})]])
    assert await answered(handle, outcome) == [TOOL, *words("It ", "weighs", " 2 kg.")]
    assert outcome.answer == "It weighs 2 kg."
    assert (outcome.input_tokens, outcome.output_tokens) == (3, 4)
    assert outcome.finish_reason == "stop"
    assert outcome.tool_calls == [TOOL[1]]
    assert handle.streams[0].cancelled


@pytest.mark.parametrize(
    "first",
    [[], [[TOOL]], [[TOOL, "It "]], [[TOOL, "It ", "wei"]], [[TOOL], ["It weighs 2 kg."]]],
)
async def test_another_replica_goes_on_where_the_first_one_stopped(first: list[Any]) -> None:
    outcome = Outcome()
    handle = replicas([*first, died()], [[TOOL], ["It ", "weighs", " 2 kg."], [("end", {**END})]])
    found = await answered(handle, outcome)
    assert found[0] == TOOL
    assert all(name == "token" for name, _ in found[1:])
    assert "".join(data["text"] for _, data in found[1:]) == "It weighs 2 kg."
    assert outcome.answer == "It weighs 2 kg."
    assert handle.turns == [TURN, TURN]


@pytest.mark.parametrize(
    "second", [[[TOOL], ["They "]], [[("tool", {"name": "lookup_order"})]]], ids=["word", "tool"]
)
async def test_a_second_answer_that_differs_is_a_failure(second: list[Any]) -> None:
    with pytest.raises(Problem) as problem:
        await answered(replicas([[TOOL, "It "], died()], second))
    assert problem.value.kind == "model-failed"


def found(score: float, text: str = "It weighs 2 kg.") -> tuple[str, Any]:
    passage = {"document": "alta-2", "title": "Alta 2", "text": text, "score": score}
    return ("sources", {"passages": [passage]})


async def test_the_same_passage_may_be_scored_a_little_differently() -> None:
    first, second = found(1.0123), found(1.0124)
    handle = replicas([[TOOL, first], died()], [[TOOL, second, "2 kg."], [("end", {**END})]])
    assert await answered(handle) == [TOOL, first, *words("2 kg.")]


async def test_another_passage_is_a_failure() -> None:
    handle = replicas([[TOOL, found(1.0)], died()], [[TOOL, found(1.0, "It weighs 3 kg.")]])
    with pytest.raises(Problem) as problem:
        await answered(handle)
    assert problem.value.kind == "model-failed"


async def test_nothing_shown_yet_may_differ() -> None:
    handle = replicas([died()], [["They do."], [("end", {**END})]])
    assert await answered(handle) == words("They do.")


@pytest.mark.parametrize("error", [died(), DeploymentUnavailableError("Support")])
async def test_no_replica_is_left(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.scale.remote._PAUSES_S", (0.0, 0.01))
    handle = replicas(*[[error]] * 3)
    with pytest.raises(Problem) as problem:
        await answered(handle)
    assert (problem.value.kind, problem.value.status_code) == ("model-unreachable", 502)
    assert all(each.cancelled for each in handle.streams[: len(handle.turns)])


async def test_a_router_that_has_not_heard_of_a_death_is_given_time() -> None:
    began = time.monotonic()
    handle = replicas(*[[died()]] * 4, [["Here."], [("end", {**END})]])
    assert await answered(handle) == words("Here.")
    assert time.monotonic() - began >= 1


async def test_what_the_replica_says_of_its_model_is_told() -> None:
    handle = replicas([["It "], [("problem", ("model-slow", "Try again.", None))]])
    with pytest.raises(Problem) as problem:
        await answered(handle)
    assert (problem.value.kind, problem.value.detail) == ("model-slow", "Try again.")


async def test_a_fault_of_the_replica_is_not_tried_again() -> None:
    handle = replicas([RayTaskError("answer", "traceback", ValueError("a bug"))])
    with pytest.raises(RayTaskError):
        await answered(handle)
    assert len(handle.turns) == 1


async def test_a_stream_that_is_left_stops_the_replica() -> None:
    handle = replicas([["It "], ["weighs"]])
    events = RemoteEngine("agent", handle, RemoteThreads()).events(TURN, Outcome())
    await anext(events)
    await events.aclose()
    assert handle.streams[0].cancelled


async def test_the_next_turn_takes_the_conversation_along() -> None:
    threads = RemoteThreads()
    ends = [[("end", {**END, "thread": kept})] for kept in (("a",), ("a", "b"), ("a", "c"))]
    handle = replicas(*[[end] for end in ends])
    engine = RemoteEngine("agent", handle, threads)

    async def ask() -> None:
        async for _ in engine.events(TURN, Outcome()):
            pass

    await ask()
    await ask()
    assert handle.turns[1].before == ("a",)
    # The client left in the last moment: the turn is as if it had never been.
    await threads.rewind(handle.turns[1])
    await ask()
    assert handle.turns[2].before == ("a",)
    await threads.forget("C-0042/a")
    assert threads.read("C-0042/a") == ()


async def test_the_service_is_not_ready_without_a_replica() -> None:
    class Gone:
        def __init__(self, name: str) -> None:
            self._name = name

        async def remote(self) -> Any:
            if self._name == "about":
                return {"paths": ["plain"], "priced_as": None}
            raise died()

    class Handle(Replicas):
        about, reason = Gone("about"), Gone("reason")

    async with remote_engines(Handle([])) as engines:
        assert await engines.probe() == "No replica answers."
        assert engines.agent is None
        assert list(engines.by_path) == ["plain"]
