"""The planted costly callers of a day are found, and nobody on a day without them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from helpers.cost.patterns import COLUMNS, patterns
from helpers.shop.records import TODAY
from helpers.shop.traffic import Request, day

_PLANTED = {
    "repeats": "one question again and again",
    "pastes": "long questions",
    "tries orders": "what a tool refuses, again and again",
}


def row(request: Request, **more: Any) -> dict[str, Any]:
    """A request, with costs from its words: a prompt of 60 tokens and an answer of 20."""
    read = 60 + 1.3 * len(request.text.split())
    order = request.order is not None
    return {
        "at": request.at,
        "customer": request.customer,
        "conversation": request.session,
        "intent": request.intent,
        "tools": ["lookup_order" if order else "search_documents"],
        "refused": int(request.caller == "tries orders"),
        "calls": 2,
        "read": read,
        "written": 20,
        "usd": (0.0045 * read + 0.0085 * 20) * 0.04 / 3600,
        "tier": "model",
        "text_hash": hash(request.text),
        "failed": False,
        **more,
    }


@pytest.mark.parametrize("seed", [20260615, 1, 2, 3])
def test_the_planted_callers_are_found_and_nobody_else(seed: int) -> None:
    requests = day(seed=seed)
    found = patterns(row(one) for one in requests)
    assert set(found["pattern"]) == set(_PLANTED.values())
    for caller, name in _PLANTED.items():
        theirs = [one for one in requests if one.caller == caller]
        (hit,) = found[found["pattern"] == name].to_dict("records")
        assert hit["client"] == (theirs[0].customer or theirs[0].session)
        assert hit["requests"] >= 0.9 * len(theirs)
        assert 0 < hit["share"] < 0.5
        assert hit["since"] - theirs[0].at < timedelta(hours=1)
    assert list(found["usd"]) == sorted(found["usd"], reverse=True)


@pytest.mark.parametrize("seed", [20260615, 1, 2, 3])
def test_a_day_without_them_has_no_pattern(seed: int) -> None:
    assert patterns(row(one) for one in day(seed=seed) if one.caller == "ordinary").empty


def test_a_window_sees_the_pattern_while_it_runs() -> None:
    requests = day()
    loop = [one for one in requests if one.caller == "repeats"]
    table = pd.DataFrame([row(one) for one in requests])
    window = timedelta(minutes=30)
    during = patterns(table, until=loop[10].at, window=window)
    assert during["pattern"].iloc[0] == _PLANTED["repeats"]
    assert during["since"].iloc[0] == loop[0].at
    before = patterns(table, until=loop[0].at - timedelta(seconds=1), window=window)
    after = patterns(table, until=loop[-1].at + timedelta(hours=1), window=window)
    assert _PLANTED["repeats"] not in {*before["pattern"], *after["pattern"]}


def test_loops_retries_and_long_answers() -> None:
    plain = [one for one in day(200) if one.caller == "ordinary"]
    rows = [row(one) for one in plain]
    at = plain[-1].at
    mine = [replace(plain[0], at=at + timedelta(seconds=20 * n), customer="X") for n in range(8)]
    rows += [row(one, failed=True, text_hash=n) for n, one in enumerate(mine)]
    rows.append(row(replace(plain[0], customer="Y"), calls=9))
    rows += [row(replace(plain[0], customer="Z"), written=300, text_hash=-n) for n in range(1, 4)]
    found = {(one["pattern"], one["client"]): one for one in patterns(rows).to_dict("records")}
    assert found["retries after failures", "X"]["requests"] == 7
    assert found["many model calls in a request", "Y"]["requests"] == 1
    assert found["long answers", "Z"]["requests"] == 3
    assert len(found) == 3


def test_an_empty_table_has_no_pattern_and_a_wrong_one_is_named() -> None:
    assert patterns([]).empty
    with pytest.raises(ValueError, match="no column customer, conversation"):
        patterns([{"at": TODAY}])
    with pytest.raises(ValueError, match="longer than 0"):
        patterns(pd.DataFrame(columns=[*COLUMNS]), window=timedelta(0))
