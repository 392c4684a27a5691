"""The evidence that the course stores for its own answers is of the agent as it is here."""

import pytest

from helpers.evaluate.packed import packed
from helpers.evaluate.ship_check import ship_check
from helpers.evaluate.version import AGENT, current_version
from helpers.review import STORED

RENEW = (
    "With an empty COURSE_HOME run `course eval`, `course attack`, `course policies`, `course"
    " cost`, `course trace-check`, `course monitor-check`, `course serve-check`, `course rollout`"
    " and the statements of `course ship-check --state`; then `course review pack`."
)


def test_it_is_of_this_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COURSE_MODEL", "COURSE_CONTEXT", "COURSE_SEED", "COURSE_SLOTS"):
        monkeypatch.delenv(name, raising=False)
    about = packed(STORED)
    assert about is not None
    changed = about.version.only(AGENT).changed(current_version().only(AGENT))
    assert not changed, f"It is of another agent ({', '.join(changed)}). {RENEW}"


def test_every_item_of_the_checklist_has_been_assessed() -> None:
    found = {each.item.name: each.status for each in ship_check(home=STORED).findings}
    assert set(found.values()) == {"passed", "failed"}
    assert [name for name, status in found.items() if status == "failed"] == ["functional_quality"]
