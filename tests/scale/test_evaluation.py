"""`course ray eval`: the serial scores, through workers that die and runs that are interrupted."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.agent import build_agent
from helpers.evaluate.runs import Run, run
from helpers.evaluate.stored_answers import as_item
from helpers.evaluate.version import Version
from helpers.scale import RayError, start_ray
from helpers.scale.evaluation import (
    TRIES,
    Agents,
    by_customer,
    evaluate,
    fernhill_agents,
    main,
)
from helpers.shop import Question, questions
from tests.evaluate.make import question
from tests.scale.stubs import no_agents, stub_agents


@pytest.fixture(autouse=True)
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the stubs note what they were asked; answers are kept in this folder."""
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("COURSE_STUB_ASKED", str(tmp_path / "asked"))
    return tmp_path / "asked"


def some(*texts: str) -> list[Question]:
    """Questions of two customers in turn, and one of nobody at the end."""
    customers = ["C-0001", "C-0002"]
    last = question(99, question="Who are you?")
    return [
        *(question(n, question=t, customer=customers[n % 2]) for n, t in enumerate(texts)),
        last,
    ]


def bare(runs: Iterable[Run]) -> list[Run]:
    return [replace(one, cpu_seconds=0.0, wall_seconds=0.0) for one in runs]


def serially(of: list[Question]) -> list[Run]:
    """What one process answers, each customer with an order book of their own."""
    found = {
        one.question_id: one for chain in by_customer(of) for one in run(stub_agents()(), chain)
    }
    return bare(found[each.id] for each in of)


def test_dead_workers_and_failures_leave_the_other_runs_as_they_are(asked: Path) -> None:
    start_ray()
    of = some("a", "b", "c", "deadly d", "e", "f", "failing")
    lost = question(50, question="always deadly", customer="C-0003")
    seen: list[str] = []

    def progress(ids: Iterable[str]) -> Iterator[str]:
        for each in ids:
            seen.append(each)
            yield each

    *found, last = evaluate([*of, lost], "06-a", agents=stub_agents, progress=progress)
    noted = asked.read_text().splitlines()
    assert bare(found) == serially(of)
    assert (last.status, last.error) == ("error", f"WorkerDied: {TRIES} workers died of it.")
    assert sorted(seen) == sorted(each.id for each in [*of, lost])
    # The earlier questions of a customer are asked once more: their order book died too.
    counts = {"a": 1, "b": 2, "deadly d": 2, "f": 1, "failing": 1, "always deadly": TRIES}
    assert {text: noted.count(text) for text in counts} == counts


def test_an_interrupted_run_goes_on_and_a_whole_one_is_not_asked_again(asked: Path) -> None:
    start_ray()
    of = some("a", "b", "c", "d")

    def interrupt(ids: Iterable[str]) -> Iterator[str]:
        for number, each in enumerate(ids):
            yield each
            if number == 1:
                raise KeyboardInterrupt

    version = Version({"prompt": "1"})
    with pytest.raises(KeyboardInterrupt):
        evaluate(of, "06-a", agents=stub_agents, version=version, workers=1, progress=interrupt)
    found = evaluate(of, "06-a", agents=stub_agents, version=version, workers=1)
    noted = asked.read_text().splitlines()
    assert bare(found) == serially(of)
    assert (noted.count("a"), noted.count("c")) == (1, 1)
    said: list[str] = []
    evaluate(of, "06-a", agents=no_agents, version=version, say=said.append)
    assert "not asked just now" in said[0]
    with pytest.raises(RayError, match=r"the weights are damaged.*run `course eval`"):
        evaluate(of, "06-a", agents=no_agents, version=Version({"prompt": "2"}))


def test_no_workers() -> None:
    with pytest.raises(ValueError, match="at least one"):
        evaluate(some("a"), "06-a", workers=0)


@pytest.mark.slow
def test_the_real_agent_gives_the_answers_of_course_eval() -> None:
    start_ray()
    dev = questions("dev")
    of = [q for q in dev if q.customer == "C-0064"] + [q for q in dev if q.customer is None][:2]
    found = evaluate(of, "06-a", agents=fernhill_agents)
    assert bare(found) == bare(run(build_agent(), of))
    assert all(one.status == "ok" for one in found)


def test_the_command(
    asked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def in_this_process(chains: list[list[Question]], workers: int, agents: Agents) -> Any:
        for chain in chains:
            yield {one.question_id: as_item(one) for one in run(stub_agents()(), chain)}

    monkeypatch.setattr(
        "helpers.scale.evaluation.questions", lambda part: some("a", "b", "failing")
    )
    monkeypatch.setattr("helpers.scale.evaluation.cluster", lambda options: nullcontext())
    monkeypatch.setattr("helpers.scale.evaluation._ask", in_this_process)
    counts = []
    for words in (["--set", "dev", "--workers", "1"], [], ["--anew"]):
        assert main(words) == 1
        noted = asked.read_text().splitlines()
        counts.append((noted.count("b"), noted.count("failing")))
    # Only what failed is asked again, until everything is to be.
    assert counts == [(1, 1), (1, 2), (2, 3)]
    said = capsys.readouterr()
    assert "no such tool" in said.err
    assert "100% [44%, 100%] 3/3" in said.out
    with pytest.raises(SystemExit):
        main(["--workers", "0"])
    assert "give 1 or more" in capsys.readouterr().err
