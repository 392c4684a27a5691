"""What module 04 tries on the service: known cases, and a network that stops again."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from helpers.course.exercises import m04_network as net
from helpers.course.exercises.m04_given import (
    CUSTOMER_LIMIT,
    Decision,
    Payment,
    decisions,
    hijacked_day,
    ordinary_day,
    shifted,
)
from helpers.course.exercises.m04_service import (
    ANSWERS,
    careless_approval,
    harmful,
    naive_html,
    of_answers,
    others_that_came_back,
    questions_a_day,
)
from helpers.security.controls.markup import render_markdown
from helpers.security.controls.urls import UnsafeUrl
from helpers.security.policy import BANKING, Provenance


async def test_the_network_answers_and_stops() -> None:
    before = threading.active_count()
    with net.network() as sites:
        guard = sites.guard(net.DOCS)
        page = await sites.get(guard.check(f"https://{net.DOCS}/care"))
        assert (page.status, page.location) == (200, None)
        moved = await sites.get(guard.check(f"https://{net.DOCS}/old"))
        assert (moved.status, moved.location) == (302, "/care")
        assert (await sites.get_by_name(f"https://{net.ADMIN}/keys")).body == net.KEYS
        assert sites.visited[-1] == f"inside: {net.ADMIN}/keys"
        with pytest.raises(OSError, match="no such name"):
            sites.resolve("nowhere.example")
    assert threading.active_count() <= before


async def test_a_rebinding_name_changes_its_address_once() -> None:
    with net.network() as sites:
        found = [sites.resolve(net.REBINDING)[0] for _ in range(3)]
    assert found == [net.PUBLIC, net.INSIDE, net.INSIDE]


def test_what_is_hostile_is_refused_and_only_the_list_of_hosts_stops_all() -> None:
    with net.network() as sites:
        passed = [url for url in net.HOSTILE if not sites.guard().refuses(url)]
        assert len(net.HOSTILE) == 17
        assert passed == ["https://evil.example/?seen=FH-10742"]
        for url in net.HOSTILE:
            with pytest.raises(UnsafeUrl):
                sites.guard(net.DOCS, net.SHOP).check(url)


def test_careless_people_let_attacks_through_and_careful_ones_none() -> None:
    careful, blind = careless_approval(0.0), careless_approval(1.0)
    assert careful.successes == 0
    assert blind.successes > 0.9 * blind.total
    assert careless_approval(1.0, Provenance(BANKING)).successes == 0


def test_questions_a_day() -> None:
    asks = questions_a_day()
    assert asks["every request"] > asks["every action"] > asks["every refund"] > 0
    assert asks["what provenance refuses"] <= asks["every refund"]


def test_glued_statements_bring_home_what_belongs_to_others(tmp_path: Path) -> None:
    found = others_that_came_back(tmp_path / "shop.sqlite", "C-0042", "x' OR '1'='1")
    assert found["as a parameter"] == 0
    assert found["glued, own views only"] == 0
    assert isinstance(found["glued"], int)
    assert found["glued"] > 300
    stolen = "x' UNION SELECT email, name FROM customers --"
    again = others_that_came_back(tmp_path / "shop.sqlite", "C-0042", stolen)
    assert again["glued, own views only"] == "refused"


@pytest.mark.parametrize(
    ("answer", "is_harmful"),
    [
        ("[ours](https://fernhill.example/returns)", False),
        ("![x](https://evil.example/x)", True),
        ("[x](javascript:alert(1))", True),
        ("<img src=x onerror=alert(1)>", True),
        ("[x](https://fernhill.example.evil.example/)", True),
    ],
)
def test_harm_is_seen_and_cleaned(answer: str, is_harmful: bool) -> None:
    assert harmful(naive_html(answer)) is is_harmful
    assert not harmful(render_markdown(answer, hosts={"fernhill.example"}).html)


def test_the_two_days_of_refunds() -> None:
    hijacked, ordinary = hijacked_day(), ordinary_day()
    assert len(hijacked) > 5 * len(ordinary) > 0
    assert sum(payment.amount for payment in hijacked) > 100 * CUSTOMER_LIMIT
    first = ordinary[0]
    assert shifted(first, hours=24).at - first.at == timedelta(days=1)


def test_what_was_asked_about_is_not_paid() -> None:
    def every_second(payment: Payment, earlier: Sequence[Payment]) -> Decision:
        seen.append(len(earlier))
        return "pay" if len(seen) % 2 else "ask"

    seen: list[int] = []
    assert decisions(every_second, ordinary_day()[:4]) == ["pay", "ask", "pay", "ask"]
    assert seen == [0, 1, 1, 2]


def test_the_rows_of_answers_say_both() -> None:
    cleaned = [render_markdown(answer, hosts={"fernhill.example"}) for answer in ANSWERS]
    made = of_answers(cleaned)
    assert [row["harmful as it is"] for row in made] == [False, True, True, True, True]
    assert not any(row["when cleaned"] for row in made)
