"""The questions of module 10: their counts, their facts, their spread, and that they are frozen."""

import hashlib
from collections import Counter
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
import yaml

from helpers.cost.traffic import (
    FOLDER,
    PARTS,
    Intent,
    Part,
    TrafficError,
    Trap,
    intents,
    load_intents,
    load_traps,
    pairs,
    traffic,
    traps,
    zipf,
)
from helpers.evaluate.scores import score_answer
from helpers.evaluate.text import states
from helpers.shop import open_orders, questions
from helpers.shop.library import document, documents
from helpers.shop.questions import PARTS as GOLDEN_PARTS
from helpers.shop.records import Order, day, pounds

FROZEN = {
    "heldout.yaml": "4e854eabbb6364be24dd1699c45f0d5c7a894269f34c0f447848f1c46e86bbea",
    "traps.yaml": "57e2f06897862577f2ebe1992e6c1ae4bd483a20c13533558bc785b32531ad51",
}
ALL: list[Intent] = [intent for part in PARTS for intent in intents(part)]
OF_DOCUMENTS = [intent for intent in ALL if intent.facts.document and not intent.facts.order]
OF_ORDERS = [intent for intent in ALL if intent.facts.order]


def ids(intent: Intent) -> str:
    return intent.id


@pytest.mark.parametrize("name", FROZEN)
def test_heldout_is_as_it_was_before_any_rule_was_tuned(name: str) -> None:
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == FROZEN[name]


def test_heldout_is_large_enough() -> None:
    found = intents("heldout")
    assert len(found) >= 50
    assert sum(len(intent.wordings) for intent in found) >= 100
    # A fifth must need more than a sentence of the documents: of the intents and of the traffic.
    shares = zipf(len(found))
    assert sum(not intent.extractable for intent in found) >= len(found) / 5
    assert sum(s for s, i in zip(shares, found, strict=True) if not i.extractable) >= 0.2
    kinds = Counter(intent.kind for intent in found)
    assert all(kinds[kind] >= 9 for kind in ("order", "two_step", "unanswerable"))
    assert kinds["single_fact"] + kinds["conditional"] >= 45
    assert len({intent.facts.document for intent in found}) >= 40


def test_dev_has_the_same_mix() -> None:
    found = intents("dev")
    assert len(found) == 40
    assert {intent.kind for intent in found} == {intent.kind for intent in intents("heldout")}
    assert sum(not intent.extractable for intent in found) >= len(found) / 5


def test_orders_are_among_the_ten_that_are_asked_most() -> None:
    assert [i.kind for i in intents("heldout")[:10]].count("order") >= 2


@pytest.mark.parametrize("intent", OF_DOCUMENTS, ids=ids)
def test_a_sentence_of_the_named_document_is_a_right_answer(intent: Intent) -> None:
    assert intent.extractable


@pytest.mark.parametrize("intent", [i for i in ALL if i.kind == "conditional"], ids=ids)
def test_a_condition_decides_between_two_values_of_one_document(intent: Intent) -> None:
    """The value of the other case is forbidden, and it is in the document to be confused with."""
    assert intent.facts.document is not None
    text = document(intent.facts.document).text
    assert any(states(text, fact) for fact in intent.facts.forbidden)


@pytest.mark.parametrize("intent", OF_ORDERS, ids=ids)
def test_the_order_book_says_what_is_required(intent: Intent) -> None:
    assert intent.facts.order is not None
    assert intent.facts.customer is not None
    with open_orders() as book:
        order = book.get(intent.facts.order, intent.facts.customer)
    said = _facts(order)
    if intent.facts.document:
        said += " " + document(intent.facts.document).text
    missing = score_answer(intent.facts, said).missing
    assert not missing
    assert not any(states(_facts(order), fact) for fact in intent.facts.forbidden)


def _facts(order: Order) -> str:
    """All that the book knows about an order, in words; the total without its parts."""
    state = {
        "processing": "It is being processed and has not been dispatched.",
        "shipped": "It is on its way.",
        "delivered": "It arrived.",
        "returned": "It came back.",
        "cancelled": "It is cancelled.",
    }[order.status]
    latest = {"processing": order.expected_on, "shipped": order.expected_on}.get(order.status)
    reached = order.delivered_on or latest
    parts = [
        state,
        f"Items: {', '.join(item.title for item in order.items)}.",
        f"Total {pounds(order.total)}. Refunded {pounds(order.refunded)}.",
        f"Carrier {order.carrier}, tracking {order.tracking}.",
        f"Date: {day(reached)}." if reached else "",
    ]
    return " ".join(parts)


@pytest.mark.parametrize("intent", [i for i in ALL if i.kind == "unanswerable"], ids=ids)
def test_nothing_is_required_where_the_shop_does_not_know(intent: Intent) -> None:
    assert not intent.extractable
    assert score_answer(intent.facts, "I do not know.").right
    assert not score_answer(intent.facts, documents()[0].text).right


def test_the_order_of_an_intent_is_one_that_no_golden_question_asks_about() -> None:
    golden = {q.order for part in GOLDEN_PARTS for q in questions(part)} - {None}
    assert not golden & {intent.facts.order for intent in OF_ORDERS}


def test_ids_are_unique_and_differ_from_golden_ones() -> None:
    golden = [q.id for part in GOLDEN_PARTS for q in questions(part)]
    found = [intent.facts.id for intent in ALL]
    assert len({*found, *golden}) == len(found) + len(golden)
    assert len({intent.id for intent in ALL}) == len(ALL)


def test_every_wording_is_new() -> None:
    day_of_traffic = yaml.safe_load(
        (FOLDER.parents[1] / "shop" / "wordings.yaml").read_text("utf-8")
    )
    known = [q.question for part in GOLDEN_PARTS for q in questions(part)]
    known += chain.from_iterable(row["wordings"] for row in day_of_traffic)
    found = [wording for intent in ALL for wording in intent.wordings]
    assert len({plain(w) for w in found}) == len(found)
    assert not {plain(w) for w in found} & {plain(w) for w in known}


def test_no_two_intents_have_the_same_facts() -> None:
    """One answer for two intents would make a served answer of the other one right."""
    facts = Counter(
        (i.facts.document, i.facts.order, i.facts.required) for i in ALL if i.kind != "unanswerable"
    )
    assert [key for key, times in facts.items() if times > 1] == []


def plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


def test_traps_are_enough_and_repeat_nowhere() -> None:
    dev, heldout = traps("dev"), traps("heldout")
    assert len(dev) >= 30
    assert len(heldout) >= 48
    assert {trap.differs for trap in dev} < {trap.differs for trap in heldout}
    new = [trap for trap in heldout if trap.differs not in {one.differs for one in dev}]
    assert len(new) >= len(heldout) / 3
    said = [frozenset((plain(trap.stored), plain(trap.asked))) for trap in dev + heldout]
    assert len(set(said)) == len(said)
    assert not set(chain(*said[: len(dev)])) & set(chain(*said[len(dev) :]))


@pytest.mark.parametrize("trap", [t for p in PARTS for t in traps(p)], ids=lambda t: t.asked)
def test_a_trap_says_nearly_the_same_words(trap: Trap) -> None:
    stored, asked = set(plain(trap.stored).split()), set(plain(trap.asked).split())
    assert plain(trap.stored) != plain(trap.asked)
    assert len(stored & asked) / len(stored | asked) >= 0.3


@pytest.mark.parametrize("part", PARTS)
def test_pairs_are_two_wordings_of_one_intent(part: Part) -> None:
    found = pairs(part)
    assert len(found) >= 30
    by_wording = {w: intent.id for intent in intents(part) for w in intent.wordings}
    assert all(one != two and by_wording[one] == by_wording[two] for one, two in found)


def test_asked_gives_the_facts_with_the_wording() -> None:
    intent = intents("heldout")[0]
    question = intent.asked(intent.wordings[2])
    assert question.question == intent.wordings[2]
    assert question.id == "heldout-single_fact-501"
    assert question.required == intent.facts.required
    with pytest.raises(ValueError, match="heldout-01 has no wording"):
        intent.asked("Where is my order?")


def test_the_expected_tools_are_those_of_the_kind() -> None:
    golden = {(q.kind, tuple(c.name for c in q.tools)) for p in GOLDEN_PARTS for q in questions(p)}
    for intent in ALL:
        assert (intent.kind, tuple(call.name for call in intent.facts.tools)) in golden
    order = next(i for i in ALL if i.kind == "order")
    assert order.facts.tools[0].args == {"order_id": order.facts.order}


def test_the_shares_follow_zipf_s_law() -> None:
    found = intents("heldout")
    share = Counter(q.id for q in traffic("heldout", 20_000))
    expected = zipf(len(found))
    assert sum(expected) == pytest.approx(1)
    assert expected[0] == pytest.approx(10 * expected[9])
    for rank in (1, 2, 5, 20):
        # Four standard errors of a share among 20,000.
        error = (expected[rank - 1] / 20_000) ** 0.5
        got = share[found[rank - 1].facts.id] / 20_000
        assert got == pytest.approx(expected[rank - 1], abs=4 * error)


def test_wordings_of_an_intent_are_asked_equally_often() -> None:
    first = intents("heldout")[0]
    asked = Counter(q.question for q in traffic("heldout", 20_000) if q.id == first.facts.id)
    each = sum(asked.values()) / len(first.wordings)
    assert all(asked[w] == pytest.approx(each, rel=0.15) for w in first.wordings)


def test_traffic_is_the_same_on_every_machine() -> None:
    asked = traffic("heldout")
    assert len(asked) == 300
    assert traffic("heldout") == asked
    assert traffic("heldout", seed=11) != asked
    assert traffic("heldout", 5) == asked[:5]
    text = "\n".join(q.question for q in asked)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "bc017dbbfb845764"


@pytest.mark.parametrize("count", [0, -1])
def test_traffic_of_nothing_is_an_error(count: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        traffic("heldout", count)


@pytest.mark.parametrize("function", [intents, traffic, traps, pairs])
def test_an_unknown_part_is_an_error_that_names_the_parts(function: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match=r"no part 'lab'.*dev.*heldout"):
        function("lab")


ROW = {
    "id": "dev-01",
    "kind": "single_fact",
    "document": "returns",
    "required": [["30 days"]],
    "wordings": ["one?", "two?"],
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": "red"}, r"dev-01\.colour: Extra"),
        ({"wordings": None}, r"dev-01\.wordings: Input should be"),
        ({"wordings": ["only one"]}, r"dev-01\.wordings: Tuple should have at least 2"),
        ({"wordings": ["same", "Same"]}, "wordings: used twice: same"),
        ({"wordings": ["one", {"a": "b"}]}, r"dev-01\.wordings\.1: Input should be a valid string"),
        ({"kind": "action"}, r"dev-01\.kind: Input should be 'single_fact'"),
        ({"required": []}, "dev-01: .*'required' is empty"),
        ({"document": None}, "dev-01: .*'document' must be given"),
        ({"order": "FH-10001", "customer": "C-0001"}, "dev-01: .*must be left out"),
        ({"id": "dev-1"}, r"dev-1\.id: String should match"),
        ({"id": "heldout-01"}, "ids here begin with dev-"),
    ],
)
def test_a_damaged_intent_is_named_with_its_field(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = tmp_path / "dev.yaml"
    path.write_text(yaml.safe_dump([ROW | change]), "utf-8")
    with pytest.raises(TrafficError, match=f"dev.yaml.*{said}"):
        load_intents(path)


@pytest.mark.parametrize("field", ["id", "kind", "required", "wordings"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    path = tmp_path / "dev.yaml"
    path.write_text(yaml.safe_dump([{k: v for k, v in ROW.items() if k != field}]), "utf-8")
    with pytest.raises(TrafficError, match=rf"dev.yaml, (dev-01|entry 1)\.{field}: Field required"):
        load_intents(path)


@pytest.mark.parametrize("text", ["", "just words", "[", "- a\n- b", "[]"])
def test_a_file_that_holds_something_else_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dev.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(TrafficError, match=r"dev\.yaml"):
        load_intents(path)


def test_an_id_that_is_used_twice_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "dev.yaml"
    path.write_text(yaml.safe_dump([ROW, ROW | {"wordings": ["three", "four"]}]), "utf-8")
    with pytest.raises(TrafficError, match="id: used twice: dev-01"):
        load_intents(path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TrafficError, match="restore it from the repository"):
        load_intents(tmp_path / "dev.yaml")


@pytest.mark.parametrize(
    ("traps_of_dev", "said"),
    [
        ([{"stored": "a", "asked": "b"}], r"dev\.0\.differs: Field required"),
        ([{"stored": "a", "asked": "b", "differs": "c", "d": "e"}], r"dev\.0\.d: "),
        ([{"stored": "", "asked": "b", "differs": "c"}], r"dev\.0\.stored: String should match"),
    ],
)
def test_a_damaged_trap_is_named(
    tmp_path: Path, traps_of_dev: list[dict[str, str]], said: str
) -> None:
    path = tmp_path / "traps.yaml"
    path.write_text(yaml.safe_dump({"dev": traps_of_dev, "heldout": []}), "utf-8")
    with pytest.raises(TrafficError, match=f"traps.yaml, .*{said}"):
        load_traps(path)


def test_a_part_without_traps_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "traps.yaml"
    path.write_text("dev: []", "utf-8")
    with pytest.raises(TrafficError, match="heldout: Field required"):
        load_traps(path)
