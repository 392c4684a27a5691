"""The stored runs that come with the course are whole, small, and of the agent as it is now."""

import ast
import gzip
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from helpers.agent import Passage, build_agent, fernhill_index
from helpers.agent.build import MOST_TOKENS
from helpers.evaluate import current_version, judge, stored_verdicts
from helpers.evaluate.labelled import halves, labelled_answers
from helpers.evaluate.runs import ask
from helpers.evaluate.stored import Item, StoredRun, read
from helpers.evaluate.stored_answers import as_item, spot_check
from helpers.evaluate.testing import changes, releases
from helpers.evaluate.version import AGENT, Version
from helpers.models import chat_model
from helpers.paths import ROOT, STORED_RUNS
from helpers.shop import Question, questions
from helpers.shop.traffic import day

RENEW = "course runs --store"
MOST_BYTES = 300_000
"""Of all stored runs together."""

TAG = re.compile(r"stored:(\d\d-[a-z0-9-]+)")
SOURCES = sorted([*ROOT.glob("notebooks/src/*.py"), *ROOT.glob("solutions/src/*.py")])
TAGGED = sorted(name for path in SOURCES for name in TAG.findall(path.read_text("utf-8")))
FILES = sorted(path.name.removesuffix(".json.gz") for path in STORED_RUNS.iterdir())


def loaded(name: str) -> StoredRun:
    found = read(STORED_RUNS / f"{name}.json.gz")
    assert found is not None, f"There is no stored run {name}: {RENEW}"
    return found


def test_every_slow_step_has_a_stored_run_and_no_other_is_there() -> None:
    assert TAGGED, "no cell is tagged"
    assert FILES == TAGGED, f"Make them: {RENEW}"


def test_together_they_are_small() -> None:
    assert sum(path.stat().st_size for path in STORED_RUNS.iterdir()) < MOST_BYTES


@pytest.mark.parametrize("name", TAGGED)
def test_it_is_of_the_agent_as_it_is_now(name: str) -> None:
    """When this fails, the agent has changed: renew the runs, which takes a while."""
    changed = loaded(name).version.changed(version_now(name))
    assert not changed, f"{name} is of another version ({', '.join(changed)}). Renew: {RENEW}"


def version_now(name: str) -> Version:
    more: dict[str, Callable[[], Version]] = {
        "02-releases": lambda: releases.version(releases.release_questions(fast=False)),
        "02-judge": stored_verdicts.version,
    }
    return more.get(name, lambda: current_version().only(AGENT))()


def source(stem: str) -> str:
    return (ROOT / "notebooks" / "src" / f"{stem}.py").read_text("utf-8")


@pytest.mark.parametrize("name", TAGGED)
def test_it_is_whole_and_says_how_it_came_about(name: str) -> None:
    found = loaded(name)
    assert found.complete
    assert found.name == name
    assert found.cores >= 1
    assert found.cpu_seconds > 60, "a step this quick needs no stored run"
    assert not [item for item in found.items if item.content.get("status") == "timeout"]


@pytest.mark.parametrize("name", FILES)
def test_it_names_no_machine(name: str) -> None:
    text = gzip.decompress((STORED_RUNS / f"{name}.json.gz").read_bytes()).decode()
    for trace in ("/home/", "/Users/", "/root/", "/tmp/", "site-packages", "127.0.0.1"):
        assert trace not in text


# --- a sample of each, asked again ----------------------------------------------------------------


def agents_answers(name: str, agent: Any, asked: Sequence[Question], section: str = "") -> None:
    kept = loaded(name).sections[section]
    for question in asked:
        assert as_item(ask(agent, question)).content == kept[question.id].content, question.id


@pytest.mark.slow
def test_the_agent_still_gives_its_stored_answers() -> None:
    dev = questions("dev")
    of_each_kind = [next(q for q in dev if q.kind == kind) for kind in ("unanswerable", "order")]
    agents_answers("02-agent", build_agent(), [*spot_check(dev, 2), *of_each_kind])


@pytest.mark.slow
def test_the_walkthrough_s_second_version_still_gives_its_stored_answers() -> None:
    namespace: dict[str, Any] = {"index": fernhill_index(), "replace": replace, "Passage": Passage}
    (version,) = [
        node
        for node in ast.parse(source("02_evaluate_before_shipping")).body
        if isinstance(node, ast.ClassDef) and node.name == "WholeDocuments"
    ]
    exec(compile(ast.Module([version], []), "walkthrough 02", "exec"), namespace)
    agent = build_agent(retriever=namespace["WholeDocuments"]())
    agents_answers("02-whole-documents", agent, spot_check(questions("dev"), 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", [changes.TODAYS, "asked in other words", "refuses too much"])
def test_a_release_still_gives_its_stored_answers(name: str) -> None:
    asked = releases.release_questions(fast=False)
    model = chat_model(max_tokens=MOST_TOKENS)
    agent = changes.make(name, model, fernhill_index(), releases.SameWordsSameReply())
    agents_answers("02-releases", agent, [spot_check(asked, 1)[0], asked[-1]], section=name)


@pytest.mark.slow
def test_the_judge_still_gives_its_stored_verdicts() -> None:
    _, unseen = halves(labelled_answers())
    kept = loaded("02-judge").sections
    each = unseen[len(unseen) // 2]
    said = judge.judge_all(judge.Judge(), [each])[0]
    key = stored_verdicts.key_of(each)
    assert kept["verdict"][key].content == {"accepted": said.accepted, "reason": said.reason}
    assert kept["lean"][key].content == {"lean": judge.lean_all(judge.Judge(), [each])[0]}
    assert kept["verdict"].keys() == kept["lean"].keys() == set(map(stored_verdicts.key_of, unseen))


@pytest.mark.slow
def test_the_day_s_requests_still_get_their_stored_answers() -> None:
    from helpers.tracing.asking import ask_all

    alone = [one for one in day(300) if one.question and one.customer is None]
    sample = alone[:: len(alone) // 2][:2]
    kept = loaded("09-day").sections[""]
    assert kept.keys() == {one.id for one in day(300)}
    for one in ask_all(build_agent(), [replace(r, session=f"again {r.id}") for r in sample]):
        assert kept[one.request.id].content["answer"] == one.answer


def test_the_stored_day_has_a_whole_trace_of_each_request() -> None:
    for key, item in loaded("09-day").sections[""].items():
        assert_whole(key, item)


def assert_whole(key: str, item: Item) -> None:
    first, *rest = item.content["runs"]
    assert "parent" not in first, key
    assert any(run["type"] == "llm" for run in rest), key
    for place, run in enumerate(rest, start=1):
        assert 0 <= run["parent"] < place, key
        assert 0 <= run["start"] <= run["start"] + run["length"] <= first["length"], key
