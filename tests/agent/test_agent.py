"""The agent on the real local model, and its parts."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from langchain_core.messages import AIMessage, ToolMessage

from helpers.agent import (
    REFUSAL,
    THRESHOLD,
    Agent,
    Caller,
    DocumentIndex,
    Passage,
    answerability_curve,
    build_agent,
    fernhill_index,
    make_tools,
)
from helpers.agent.answerability import MOST_FALSE_REFUSALS, curve
from helpers.agent.command import ask
from helpers.agent.retrieval import split_sentences
from helpers.evaluate.recall import WordSearch, by, recall
from helpers.models import embeddings
from helpers.shop import Order, Orders, document, documents, open_orders, questions

MINE, OTHER = "C-0042", "C-0007"


@pytest.fixture(scope="module")
def index() -> DocumentIndex:
    return fernhill_index()


@pytest.fixture
def orders() -> Orders:
    return open_orders()


@pytest.fixture
def agent(index: DocumentIndex, orders: Orders) -> Agent:
    return build_agent(retriever=index, orders=orders)


def say(agent: Agent, text: str, customer: str | None = None, thread: str = "t") -> list:
    """The messages of one turn, the last of them the answer."""
    before = agent.get_state({"configurable": {"thread_id": thread}}).values.get("messages", [])
    state = agent.invoke(
        {"messages": [("user", text)]},
        {"configurable": {"thread_id": thread}},
        context=Caller(customer),
    )
    return state["messages"][len(before) :]


def calls(messages: list) -> list[str]:
    return [c["name"] for m in messages if isinstance(m, AIMessage) for c in m.tool_calls]


def refundable(orders: Orders) -> Order:
    """A delivered order inside the window that nobody has been paid for."""
    from helpers.shop import RefundRefused

    for order in orders.all_orders():
        if order.status == "delivered" and not order.refunded:
            fresh = open_orders()
            try:
                fresh.refund(order.id, order.customer_id, None)
            except RefundRefused:
                continue
            return order
    raise AssertionError("the order book has no order that can be refunded")


# --- retrieval ---------------------------------------------------------------------------------


def test_sentences_end_at_full_stops_and_not_in_numbers() -> None:
    text = "It weighs 2.1 kg. The bag holds 14 pegs.\n\n## A heading\n- One item. Two items."
    assert split_sentences(text) == [
        "It weighs 2.1 kg.",
        "The bag holds 14 pegs.",
        "One item.",
        "Two items.",
    ]


def test_a_search_finds_the_sentence_that_answers(index: DocumentIndex) -> None:
    best = index.search("How long do I have to return a tent?", k=3)
    assert best[0].document == "returns"
    assert len(best) == 3
    assert "30 days" in best[0].excerpt
    assert best[0].excerpt.startswith(best[0].title)
    assert best[0].score >= best[1].score >= best[2].score


def test_a_document_is_as_good_as_its_best_sentence() -> None:
    other = replace(document("returns"), id="other", title="Poles", text="They are of ash.")
    made = replace(document("returns"), id="made", text="We ski. A tent can come back for 30 days.")
    query = "Until when can I return a tent?"
    both = DocumentIndex([other, made], embeddings(), expected={}).search(query)
    assert [each.document for each in both] == ["made", "other"]
    assert both[0].best == "A tent can come back for 30 days."
    (alone,) = DocumentIndex(
        [replace(made, text="A tent can come back for 30 days.")], embeddings(), expected={}
    ).search(query)
    # What else stands on the page changes the words' rarity a little, and nothing else.
    assert both[0].score == pytest.approx(alone.score, abs=0.05)


def test_an_expected_question_lifts_its_own_sentence_only() -> None:
    sentence = "A tent can come back for 30 days."
    made = replace(document("returns"), id="made", text=f"We ski. {sentence}")
    query = "how much time have i got to change my mind"
    plain = DocumentIndex([made], embeddings(), expected={}).search(query)[0]
    asked = {"made": {sentence: ["How much time is there to change my mind?"]}}
    lifted = DocumentIndex([made], embeddings(), expected=asked).search(query)[0]
    assert lifted.best == sentence
    assert lifted.score > plain.score + 0.1


def test_a_passage_holds_its_nearest_sentences_in_the_documents_order() -> None:
    text = "Poles are of ash. A tent can come back for 30 days. Return it with the receipt."
    made = replace(document("returns"), id="made", text=text)
    index = DocumentIndex([made], embeddings(), sentences=2, expected={})
    (found,) = index.search("Is the receipt needed?")
    assert found.best == "Return it with the receipt."
    assert found.sentences == ("A tent can come back for 30 days.", "Return it with the receipt.")


def test_a_document_of_headings_alone_can_be_found() -> None:
    made = replace(document("returns"), id="made", text="# Opening hours")
    (found,) = DocumentIndex([made], embeddings(), expected={}).search("opening hours")
    assert found.best == "# Opening hours"


def test_internal_notes_are_not_searched(index: DocumentIndex) -> None:
    notes = {each.id for each in documents(internal=True) if each.kind == "internal"}
    found = {p.document for p in index.search("staff discount code and escalation", k=100)}
    assert notes
    assert not notes & found


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_is_an_error(index: DocumentIndex, query: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        index.search(query)


@pytest.mark.parametrize(
    "query", ["tent " * 20_000, "\x00\x01\x02", "‮tent", "Wie lange kann ich ein Zelt umtauschen?"]
)
def test_odd_queries_find_something_and_break_nothing(index: DocumentIndex, query: str) -> None:
    assert len(index.search(query)) == 3


def test_an_index_needs_documents() -> None:
    with pytest.raises(ValueError, match="at least one"):
        DocumentIndex([], embeddings())


def test_a_changed_document_meets_no_old_vector() -> None:
    tent = document("alta-2-tent")
    changed = replace(tent, text="The Alta 2 is sold with a free bicycle bell.")
    found = DocumentIndex([changed], embeddings()).search("Do I get a bell with the tent?", k=1)
    assert "bicycle bell" in found[0].text


def test_the_index_beats_the_search_by_words(index: DocumentIndex) -> None:
    dev = questions("dev")
    ours, words = (recall(search, dev, 1) for search in (by(index), WordSearch(documents()).search))
    assert ours.total == words.total >= 36
    assert ours.successes > words.successes


# --- answerability -----------------------------------------------------------------------------


def test_a_curve_of_scores_that_are_apart() -> None:
    apart = curve([0.8, 0.9], [0.1, 0.2])
    assert apart.area == 1.0
    assert 0.2 < apart.threshold(0.0) < 0.8


def test_a_curve_of_equal_scores_is_guessing() -> None:
    assert curve([0.5, 0.5], [0.5, 0.5]).area == 0.5


def test_a_curve_needs_both_sides() -> None:
    with pytest.raises(ValueError, match="answerable and unanswerable"):
        curve([0.5], [])


def test_the_threshold_is_the_one_that_dev_and_lab_give(index: DocumentIndex) -> None:
    found = answerability_curve(index, [*questions("dev"), *questions("lab")])
    assert abs(found.threshold(MOST_FALSE_REFUSALS) - THRESHOLD) <= 0.005
    assert found.area > 0.8


# --- tools -------------------------------------------------------------------------------------


def test_no_tool_takes_the_customer_as_an_argument(index: DocumentIndex, orders: Orders) -> None:
    tools = make_tools(index, orders, threshold=THRESHOLD)
    names = {tool.name: set(tool.args) for tool in tools}
    assert names == {
        "search_documents": {"query"},
        "lookup_order": {"order_id"},
        "issue_refund": {"order_id", "amount"},
        "hand_over": {"reason"},
    }


# --- the agent ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_answers_from_the_documents(agent: Agent) -> None:
    turn = say(agent, "How long do I have to return a tent?")
    assert calls(turn) == ["search_documents"]
    assert "30 days" in turn[-1].text
    [found] = [m for m in turn if isinstance(m, ToolMessage)]
    assert isinstance(found.artifact[0], Passage)


@pytest.mark.slow
def test_it_refuses_what_is_far_from_every_document(agent: Agent) -> None:
    assert say(agent, "What is the capital of Mongolia?")[-1].text == REFUSAL


@pytest.mark.slow
def test_it_looks_up_its_customers_orders_and_nobody_elses(agent: Agent, orders: Orders) -> None:
    order = orders.get(orders.order_ids(MINE)[0], MINE)
    asked = f"Who is the carrier of order {order.id}?"
    assert order.carrier in say(agent, asked, MINE, "mine")[-1].text
    theirs = say(agent, asked, OTHER, "theirs")
    assert order.carrier not in theirs[-1].text
    [result] = [m for m in theirs if isinstance(m, ToolMessage)]
    assert result.status == "error"
    nobody = say(agent, asked, None, "nobody")
    [result] = [m for m in nobody if isinstance(m, ToolMessage)]
    assert "log in" in result.text


@pytest.mark.slow
def test_a_follow_up_means_the_order_of_its_own_conversation(agent: Agent, orders: Orders) -> None:
    order = orders.get(orders.order_ids(MINE)[0], MINE)
    say(agent, f"Where is my order {order.id}?", MINE, "a")
    follow_up = say(agent, "And what did I pay for it?", MINE, "a")
    assert f"{order.total:.2f}" in follow_up[-1].text
    elsewhere = say(agent, "And what did I pay for it?", OTHER, "b")
    assert order.id not in elsewhere[-1].text
    assert f"{order.total:.2f}" not in elsewhere[-1].text


@pytest.mark.slow
def test_a_refund_happens_once_and_within_the_order(agent: Agent, orders: Orders) -> None:
    order = refundable(orders)
    turn = say(agent, f"Please refund order {order.id}.", order.customer_id, "first")
    assert calls(turn) == ["issue_refund"]
    paid = orders.get(order.id, order.customer_id).refunded
    assert Decimal(0) < paid <= order.total
    again = say(agent, f"Please refund order {order.id}.", order.customer_id, "second")
    [result] = [m for m in again if isinstance(m, ToolMessage)]
    assert result.status == "error"
    assert orders.get(order.id, order.customer_id).refunded == paid


@pytest.mark.slow
def test_a_question_back_is_asked_in_the_tools_own_words(agent: Agent, orders: Orders) -> None:
    order = refundable(orders)
    asked = f"Where is {order.id}? And refund half of it."
    turn = say(agent, asked, order.customer_id, "half")
    assert calls(turn) == ["lookup_order", "issue_refund"]
    where, refused = (m for m in turn if isinstance(m, ToolMessage))
    assert where.status == "success"
    assert refused.status == "error"
    assert turn[-1].text.endswith(f"\n{refused.text}")
    assert not orders.get(order.id, order.customer_id).refunded


@pytest.mark.slow
def test_it_hands_over_to_a_person(agent: Agent, orders: Orders) -> None:
    turn = say(agent, "I want to speak to a human, please.", MINE)
    assert calls(turn) == ["hand_over"]
    assert len(orders.tickets()) == 1


# --- the command -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["  "], "empty"),
        (["x" * 5000], "5,000 characters"),
        (["Where is it?", "--customer", "C-9999"], "no customer"),
    ],
)
def test_a_question_that_cannot_be_asked(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(words) == 1
    said = capsys.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err


@pytest.mark.slow
def test_the_report_of_one_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(["How long do I have to return a tent?", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert "30 days" in report["answer"]
    assert report["passages"][0]["document"] == "returns"
    assert report["tools"][0]["name"] == "search_documents"
    assert report["input_tokens"] > 0
