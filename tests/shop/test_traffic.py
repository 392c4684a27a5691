"""A day of questions has the shape that it promises, and nobody in it exists."""

import re
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from helpers.shop import TODAY, open_orders, questions
from helpers.shop.traffic import COUNT, Request, day


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    return day()


def test_a_seed_gives_the_same_day(requests: list[Request]) -> None:
    assert day() == requests
    assert [one.text for one in day(seed=1)] != [one.text for one in requests]


@pytest.mark.parametrize("count", [50, 300, COUNT])
def test_as_many_as_asked_in_order(count: int) -> None:
    found = day(count)
    assert len(found) == len({one.id for one in found}) == count
    assert all(a.at <= b.at for a, b in pairwise(found))
    assert {one.at.date() for one in found} <= {TODAY, TODAY + timedelta(days=1)}


def test_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 50"):
        day(10)


@pytest.mark.parametrize("count", [300, COUNT])
def test_few_intents_are_most_of_it_and_the_tail_is_long(count: int) -> None:
    found = [one for one in day(count) if one.caller == "ordinary"]
    intents = Counter(one.intent for one in found)
    frequent = intents.total() - intents["rare"]
    assert 0.55 < frequent / len(found) < 0.8
    assert sum(n for _, n in intents.most_common(4)) > 0.5 * len(found)
    rare = {one.text for one in found if one.intent == "rare" and not one.personal}
    assert len(rare) > 0.4 * intents["rare"], "the tail hardly repeats"
    for name in ("order_status", "return_window"):
        wordings = {re.sub(r"FH-\d+", "", one.text) for one in found if one.intent == name}
        assert len(wordings) > 5, "one intent, many wordings"


def test_people_come_in_sessions(requests: list[Request]) -> None:
    sessions: dict[str, list[Request]] = {}
    for one in requests:
        sessions.setdefault(one.session, []).append(one)
    assert all(len({one.customer for one in found}) == 1 for found in sessions.values())
    sizes = Counter(len(found) for found in sessions.values())
    assert sizes[1] > sizes[2] > sizes[3] > 0


def test_two_bursts(requests: list[Request]) -> None:
    minutes = Counter(one.at.replace(second=0, microsecond=0) for one in requests)
    busiest = [moment.time().isoformat("minutes") for moment, _ in minutes.most_common(2)]
    assert sorted(busiest) == ["09:10", "18:40"]
    typical = sorted(minutes.values())[len(minutes) // 2]
    assert min(n for _, n in minutes.most_common(2)) >= 5 * typical


def test_a_few_callers_cost_out_of_proportion(requests: list[Request]) -> None:
    by_caller = {
        name: [one for one in requests if one.caller == name]
        for name in ("repeats", "pastes", "tries orders")
    }
    assert sum(map(len, by_caller.values())) < 0.1 * len(requests)
    assert all(len({one.session for one in found}) == 1 for found in by_caller.values())
    assert len({one.text for one in by_caller["repeats"]}) == 1
    length = sorted(len(one.text) for one in requests)[len(requests) // 2]
    assert min(len(one.text) for one in by_caller["pastes"]) > 10 * length
    orders = open_orders()
    owners = {order.id: order.customer_id for order in orders.all_orders()}
    orders.close()
    tried = [one.order for one in by_caller["tries orders"]]
    assert len(set(tried)) == len(tried)
    for one in by_caller["tries orders"]:
        assert owners[str(one.order)] != one.customer
    for one in requests:
        if one.order and one.caller == "ordinary":
            assert owners[one.order] == one.customer
            assert one.order in one.text


def test_golden_questions_are_those_of_the_dev_part(requests: list[Request]) -> None:
    dev = {one.id for one in questions("dev")}
    assert {one.question for one in requests if one.question} <= dev
    assert sum(one.question is not None for one in requests) > 0.5 * len(requests)


def test_personal_data_are_invented(requests: list[Request]) -> None:
    personal = [one for one in requests if one.personal]
    assert 0.04 < len(personal) / len(requests) < 0.1
    text = "\n".join(one.text for one in requests)
    domains = set(re.findall(r"@([\w.]+\w)", text))
    assert domains <= {"example.com", "example.org", "example.net", "mail.example", "post.example"}
    assert set(re.findall(r"\b0\d{4} \d{3}", text)) == {"01632 960"}
