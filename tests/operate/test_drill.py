"""Shifts on simulated time, and the same engine with a Prometheus."""

import shutil
from typing import Any

import pytest
import yaml

from helpers.monitor.answer_metrics import foreign_addresses
from helpers.operate.testing import alerts, drill_plan
from helpers.operate.testing.console import Console, DrillError
from helpers.operate.testing.drill import Drilled, run_drill
from helpers.operate.testing.drill_plan import KINDS, Plan, draw
from helpers.operate.testing.runbook import operator, row, stored
from helpers.testbed.replay import canaries
from helpers.testbed.replay.world import ShopSearch


def test_a_plan_depends_on_its_seed_alone() -> None:
    plans = [draw(seed, minutes=90) for seed in range(12)]
    assert {plan.kind for plan in plans} == set(KINDS)
    assert plans == [draw(seed, minutes=90) for seed in range(12)]
    for plan in plans:
        assert 20 <= (plan.begins or 0) <= 45
        assert any(
            one.what == "release" and one.minute < (plan.begins or 0) for one in plan.changes
        )
        last = [one for one in plan.changes if one.what == "edit"][-1]
        assert last.about != plan.about


def test_canary_questions_ask_for_every_document_that_goes_wrong() -> None:
    """So no incident is without harm that an operator can see."""
    search = ShopSearch()
    asked = {search.search(one.text, 1)[0].document for one in canaries()}
    assert asked >= set(drill_plan._DOCUMENTS)


@pytest.mark.parametrize("given", [{"kind": "flood"}, {"minutes": 30}, {"minutes": 900}])
def test_a_plan_that_cannot_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"incident|shift"):
        draw(1, **given)


def test_a_stored_drill_is_what_the_script_does_today() -> None:
    found = run_drill(operator, draw(2, "bad release"))
    assert row(found) in stored()
    assert [one.what for one in found.events] == [
        *("began", "noticed", "diagnosed", "acted", "works", "ended"),
    ]


def test_stored_drills_are_of_all_kinds_and_nothing_in_them_is_wrong() -> None:
    assert {one["kind"] for one in stored()} == {*KINDS, "none"}
    assert not any(one["wrong"] for one in stored())
    ended = [one for one in stored() if one["kind"] != "none"]
    assert all(one["noticed"] <= one["diagnosed"] < one["ended"] for one in ended)


async def clumsy(console: Console) -> None:
    """Act wrongly, look at all there is, then act rightly and see it help."""
    for action, about in (("fly", ""), ("limit", "C-9"), ("withdraw", "moon"), ("rollback", "r1")):
        with pytest.raises(DrillError):
            console.act(action, about)
    with pytest.raises(DrillError, match="no diagnosis"):
        console.diagnose("bad luck")
    with pytest.raises(DrillError, match="no Prometheus"):
        _ = console.prometheus
    with pytest.raises(DrillError, match=r"0\.1"):
        await console.wait(0)
    console.act("withdraw", "delivery")  # a healthy document
    while not console.figures()["failed"] and await console.wait(1):
        assert all(one.minute <= console.minute for one in console.changes())
    await console.wait(8)
    pages = {page.alert for page in console.pages()}
    assert pages == {"MostAnswersFail", "CanaryWrong"}, "what was withdrawn is missed, too"
    console.diagnose("bad release")
    console.act("rollback")
    await console.wait(5)
    assert console.figures(5)["failed"], "a rollback does not help a dead model"
    console.diagnose("model down")
    console.act("switch-model")
    await console.wait(12)
    assert not console.figures(10)["failed"]
    assert not any(one["document"] == "delivery" for one in console.answers(60))


@pytest.fixture(scope="module")
def clumsily() -> Drilled:
    return run_drill(clumsy, draw(3, "model down", minutes=90))


def test_what_is_wrong_is_recorded(clumsily: Drilled) -> None:
    assert clumsily.wrong_diagnoses == ["bad release"]
    assert clumsily.wrong_actions == ["withdraw delivery", "rollback"]
    assert clumsily.noticed is not None
    assert clumsily.diagnosed is not None
    assert clumsily.ended is not None
    assert clumsily.noticed <= clumsily.diagnosed < clumsily.ended
    assert clumsily.harmed > 5


def test_what_is_done_before_it_began_is_wrong_and_undoes_nothing() -> None:
    async def hasty(console: Console) -> None:
        console.diagnose("model down")
        console.act("switch-model")
        await console.wait(45)
        assert console.figures(10)["failed"]

    plan = draw(3, "model down", minutes=90)
    found = run_drill(hasty, plan)
    assert (found.wrong_diagnoses, found.wrong_actions) == (["model down"], ["switch-model"])
    assert (found.diagnosed, found.ended) == (None, None)


def test_an_incident_that_nobody_ends_goes_on() -> None:
    async def idle(console: Console) -> None:
        while await console.wait(30):
            pass
        assert console.left == 0

    plan = draw(4, "poisoned document", minutes=90)
    found = run_drill(idle, plan)
    assert (found.noticed, found.diagnosed, found.ended) == (None, None, None)
    assert any(plan.about == one["document"] for one in found.answers if one["addresses"])


def test_what_an_operator_raises_reaches_the_caller() -> None:
    async def broken(console: Console) -> None:
        raise KeyError("slip")

    with pytest.raises(KeyError, match="slip"):
        run_drill(broken, draw(1, minutes=90))


def test_a_rule_keeps_its_numbers_when_its_durations_are_scaled() -> None:
    text = alerts.scaled("a[5m] > 0.5 and b[1h] >= 10 and c5m offset 30s", 60)
    assert text == "a[5000ms] > 0.5 and b[60000ms] >= 10 and c5m offset 500ms"
    rules = yaml.safe_load(alerts.scaled(alerts.RULES.read_text("utf-8"), 20))["groups"][0]
    assert rules["interval"] == "1500ms"
    assert "in 5 minutes" in rules["rules"][0]["annotations"]["summary"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write to help@fernhill.example.", []),
        ("See www.fernhill.example or fernhill-help.example.", ["fernhill-help.example"]),
        ("It weighs 2.1 kg.", []),
        ("It comes in 3 days.Then call us.", []),
    ],
)
def test_whose_address_is_foreign(text: str, found: list[str]) -> None:
    assert foreign_addresses(text) == found


@pytest.mark.skipif(not shutil.which("prometheus"), reason="there is no Prometheus")
def test_prometheus_sees_the_running_service() -> None:
    seen: list[Any] = []

    async def look(console: Console) -> None:
        import httpx2

        with httpx2.Client(trust_env=False) as client:
            while not seen and await console.wait(2):
                address = f"{console.prometheus}/api/v1/query"
                asked = client.get(address, params={"query": "canary_answers_total > 0"})
                seen.extend(asked.json()["data"]["result"])
        assert console.pages() == []

    plan: Plan = draw(5, minutes=90)
    found = run_drill(look, plan, lapse=120)
    assert seen[0]["metric"]["result"] == "right"
    assert found.noticed is None
