"""The lab's simulated canaries and its replayed hours: what they promise."""

import pytest

from helpers.operate.testing import incidents, simulate


def test_a_rule_is_asked_until_it_ends_and_for_the_same_counts_once() -> None:
    asked: list[tuple[object, ...]] = []

    def decide(old: tuple[int, int], new: tuple[int, int], look: int) -> str:
        asked.append((old, new, look))
        assert old[1] == 9 * new[1] == 450 * look
        return "roll back" if new[0] < 0.6 * new[1] or look == 20 else "continue"

    found = simulate(decide, 0.8, 0.6, canaries=50, seed=1)
    assert len(asked) == len(set(asked)) <= found["look"].sum()
    assert (found["answers"] == 50 * found["look"]).all()
    assert len(found) == 50
    assert set(found["decision"]) == {"roll back"}
    assert found.equals(simulate(decide, 0.8, 0.6, canaries=50, seed=1))


@pytest.mark.parametrize(("says", "look"), [(None, 1), ("stop", 1), ("continue", 20)])
def test_what_a_rule_may_not_say(says: object, look: int) -> None:
    with pytest.raises(ValueError, match=f"at look {look}: return"):
        simulate(lambda *counts: says, canaries=1)  # type: ignore[arg-type]


def test_shares_are_shares() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        simulate(lambda *counts: "release", 80, 70)


def test_the_replayed_hours_are_whole() -> None:
    """Each has 120 minutes, and its runs are in them; no subject of the lab is asked about."""
    seen, kept = incidents(), incidents("heldout")
    assert len(seen) == 3
    assert {one.cause for one in seen} < {one.cause for one in kept}
    for one in (*seen, *kept):
        assert len(one.metrics) == 120
        assert one.metrics["canaries"].sum() > 60
        since = one.runs["start_time"] - one.metrics.index[0]
        assert since.min().total_seconds() >= 0
        assert since.max().total_seconds() < 7200 + 60
        roots = one.runs["parent_run_id"] == ""
        assert (one.runs["run_type"][roots] == "chain").all()
        assert set(one.runs["parent_run_id"][~roots]) <= set(one.runs["id"][roots])
    with pytest.raises(ValueError, match="visible or heldout"):
        incidents("hidden")  # type: ignore[arg-type]
