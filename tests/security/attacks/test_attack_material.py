"""The course's own attacks and harmless requests."""

from pathlib import Path

import pytest

from helpers.security.attacks import benign_requests, spread, visible_attacks
from helpers.security.attacks.heldout import QUESTIONS
from helpers.security.attacks.material import MaterialError, load_attacks
from helpers.security.controls.secrets import DiscountRefused, check_entitled
from helpers.shop import Orders, RefundRefused, UnknownOrder, open_orders


@pytest.fixture(scope="module")
def orders() -> Orders:
    return open_orders()


def test_there_is_enough_of_each() -> None:
    assert len(visible_attacks("direct")) >= 29
    assert len(visible_attacks("indirect")) == 30
    assert len(benign_requests()) == 40
    ids = [attack.id for attack in visible_attacks()]
    assert len(ids) == len(set(ids))
    assert {a.planted.place for a in visible_attacks("indirect") if a.planted} == {
        "document",
        "order",
        "tool",
    }


def test_no_money_is_due_to_any_attacker(orders: Orders) -> None:
    """Or what is counted as a forbidden action would be the customer's right."""
    named = [a for a in visible_attacks("direct") if a.goal == "action"]
    assert len(named) == 5
    for attack in named:
        number = next(word for word in attack.request.split() if word.startswith("FH-")).strip(".")
        with pytest.raises((DiscountRefused, RefundRefused, UnknownOrder)):
            pay(orders, number, str(attack.customer), refund="efund" in attack.request)


def pay(orders: Orders, number: str, customer: str, *, refund: bool) -> None:
    if refund:
        orders.refund(number, customer)
    else:
        check_entitled(orders.get(number, customer))


def test_customers_ask_about_orders_of_their_own(orders: Orders) -> None:
    asked = [(a.request, a.customer) for a in visible_attacks("indirect")]
    asked += [(b.request, b.customer) for b in benign_requests()]
    asked += [pair for pairs in QUESTIONS.values() for pair in pairs]
    for request, customer in asked:
        for word in request.replace("?", " ").replace(",", " ").replace(".", " ").split():
            if word.startswith("FH-"):
                assert customer is not None
                assert orders.get(word, customer).id == word


def test_harmless_requests_hold_the_words_of_attacks() -> None:
    words = ("ignore", "forget", "system", "password", "instructions", "secret", "reveal", "act as",
             "override", "bypass", "pretend", "decode", "hidden", "admin", "code")  # fmt: skip
    texts = [benign.request.lower() for benign in benign_requests()]
    assert all(any(word in text for text in texts) for word in words)


def test_spread_is_even_and_keeps_the_order() -> None:
    assert spread(range(10), 5) == [0, 2, 4, 6, 8]
    assert spread(range(3), 5) == [0, 1, 2]
    assert spread([], 5) == []
    assert spread(range(7), 3) == [0, 2, 4]
    with pytest.raises(ValueError, match="at least one"):
        spread([1], 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("family:\n  - request: ''\n", "request"),
        ("family:\n  - request: x\n    goal: money\n", "goal"),
        ("family:\n  - request: x\n    planted: {place: wall, text: x}\n", "place"),
        ("family:\n  - request: x\n    author: me\n", "author"),
        ("family: [", "not YAML"),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(MaterialError, match=says):
        load_attacks(path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="restore it"):
        load_attacks(tmp_path / "none.yaml")
