"""Module 01, Build an agent: six exercises, each plugged into the shop's own agent.

`m01_runs`, which brings LangChain and the models, is imported where a case needs it: to list the
exercises, as `course status` does, must not take seconds.
"""

import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, at_least, at_most, exercise, satisfies
from helpers.course.exercises.m01_given import by_meaning, by_words
from helpers.shop import Orders, open_orders, questions

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import RunnableConfig
    from langchain_core.tools import BaseTool

    from helpers.agent import Caller
    from helpers.course.exercises.m01_runs import Configure, Guard, Quote, Turn

FAST = os.environ.get("COURSE_FAST", "") not in ("", "0")
"""Smaller samples, for tests: see the design, "Time"."""

# --- 01.1: two searches, one ranking ------------------------------------------------------------

Fuse = Callable[[dict[str, float], dict[str, float]], list[str]]

RIGHT_FIRST = 32
"""Of the lab part's 42 questions that one document answers. The words alone put the right one
first 28 times, the meaning alone 31 times, their plain sum 29 times; every usual fusion 33 to 37.
"""


@exercise(
    "01.1",
    title="Fuse two searches into one ranking",
    hints=[
        "BM25 goes up to about 20, a cosine to 1. What does a plain sum of the two listen to?",
        "Bring both onto one scale first: subtract the lowest score of a search, divide by the"
        " distance from its lowest to its highest. A document that words does not name has 0.",
        "When all scores of a search are equal, that distance is 0: then the search says nothing,"
        " so let it add 0 for every document.",
        "sorted(meaning, key=lambda name: 0.3 * w[name] + 0.7 * m[name], reverse=True), where w and"
        " m are the scaled scores. By rank instead of score works too: add up 1 / (10 + rank).",
    ],
)
def fuse(submission: Fuse) -> Iterator[Case]:
    """A ranking from the scores of two searches."""

    def case(
        name: str,
        words: dict[str, float],
        meaning: dict[str, float],
        expect: object,
        slips: Sequence[tuple[Any, str]] = (),
    ) -> Case:
        return Case(
            name,
            call=lambda: submission(dict(words), dict(meaning)),
            show=f"fuse({words}, {meaning})",
            expect=expect,
            slips=slips,
        )

    yield case(
        "both searches agree",
        {"stove": 2.0, "tent": 9.0, "mat": 4.0},
        {"stove": 0.2, "tent": 0.7, "mat": 0.4},
        ["tent", "mat", "stove"],
        [
            (["stove", "mat", "tent"], "That is the worst first."),
            (["stove", "tent", "mat"], "That is the order in which they came."),
            (lambda got: isinstance(got, dict), "Only the ids are asked for, best first."),
        ],
    )
    yield case(
        "one is much better by meaning, the other a little by words",
        {"returns": 12.0, "refunds": 11.0, "rental": 2.0},
        {"returns": 0.30, "refunds": 0.80, "rental": 0.50, "delivery": 0.45},
        _first("refunds", of=4),
        [(_starts("returns"), "That listens to the words alone: 12 and 11 drown 0.30 and 0.80.")],
    )
    yield case(
        "almost alike by meaning, and the words decide",
        {"ridge-28": 9.0, "corrie-1": 3.0, "returns": 2.0},
        {"ridge-45": 0.52, "ridge-28": 0.51, "corrie-1": 0.40, "returns": 0.30},
        _first("ridge-28", of=4),
        [(_starts("ridge-45"), "That does not listen to the words: only ridge-28 has them.")],
    )
    yield case(
        "no document shares a word with the question",
        {},
        {"delivery": 0.5, "returns": 0.1, "payment": 0.6},
        ["payment", "delivery", "returns"],
        [
            ([], "Every id of meaning is to be ranked, also where words names none."),
            (ZeroDivisionError, "Without any word score, highest and lowest are equal."),
            (ValueError, "words may be empty: max() and min() need something to look at."),
        ],
    )
    yield case(
        "a single document",
        {"privacy": 3.0},
        {"privacy": 0.4},
        ["privacy"],
        [(ZeroDivisionError, "With one document, highest and lowest are equal.")],
    )
    asked = [question for question in questions("lab") if question.document]
    yield Case(
        "the right document first, on the lab part",
        call=lambda: [
            submission(by_words(one.question), by_meaning(one.question))[0] == one.document
            for one in asked
        ],
        show="fuse(by_words(question), by_meaning(question))[0], for each question",
        expect=at_least(RIGHT_FIRST, of=len(asked), what="questions with the right document first"),
    )


def _starts(name: str) -> Callable[[Any], bool]:
    return lambda got: bool(got) and isinstance(got, list) and got[0] == name


def _first(name: str, *, of: int) -> Expectation:
    def test(got: Any) -> bool | str:
        if not isinstance(got, list) or len(set(got)) != of or len(got) != of:
            return f"A list of all {of} ids of meaning is expected, each once."
        return bool(got[0] == name)

    return satisfies(f"{name} first, then the other {of - 1}", test)


# --- 01.2: a tool that is chosen, and safe --------------------------------------------------------

MakeTool = Callable[[Orders], "BaseTool"]

ASKING = (
    "What have I ordered so far?",
    "Show me all my orders.",
    "I lost my order number, can you find it for me?",
    "Which orders do I have with you?",
    "List everything I bought from you.",
    "How many orders have I placed?",
    "Which of my orders have not arrived yet?",
    "Can I see my order history?",
    "What was my last order?",
    "Have I got any open orders?",
    "what did i buy here before",
    "Give me an overview of my purchases.",
)
"""Requests that `my_orders` is for, written before any description of it was tried."""

CHOSEN = 9
"""How many of `ASKING` must choose it: all 12 do with four or six fitting examples, and up to 2
where the docstring speaks to developers."""

TAKEN = 3
"""How many of the 26 requests for other tools it may take: with fitting examples it takes up to 1,
and 6 with a docstring that promises everything."""


@exercise(
    "01.2",
    title="A tool that is chosen, and safe",
    hints=[
        "What does the model know of a tool? Its name, its arguments and its docstring; the local"
        " model also the examples in extras. Say there what customers say.",
        "runtime: ToolRuntime[Caller] as an argument is filled in by LangGraph and hidden from the"
        " model. runtime.context.customer_id is who is logged in, or None.",
        "orders.order_ids(customer) gives the ids, orders.get(id, customer) the order. Without a"
        " customer, return a sentence that asks to log in; without orders, say that.",
        '@tool(extras={"examples": ["What did I order last month?", ...]}) above def'
        " my_orders(runtime: ToolRuntime[Caller]) -> str, with a docstring such as: List the orders"
        " of the customer who is logged in. Return the tool.",
    ],
)
def my_orders(submission: MakeTool) -> Iterator[Case]:
    """A factory of a tool that lists the orders of whoever is logged in."""
    from helpers.course.exercises import m01_runs as runs

    orders = open_orders()

    def case(
        name: str,
        customer: str | None,
        expect: Expectation,
        slips: Sequence[tuple[Any, str]],
    ) -> Case:
        return Case(
            name,
            call=lambda: runs.told(submission(orders), customer),
            show=f"my_orders() when Caller({customer!r}) asks",
            expect=expect,
            slips=slips,
        )

    yield Case(
        "the model is asked for no argument",
        call=lambda: runs.arguments(submission(orders)),
        show="what the model sees of make_my_orders(orders): its name and arguments",
        expect={"name": "my_orders", "arguments": []},
        slips=[
            (
                lambda got: any("customer" in name for name in got["arguments"]),
                "Whatever the model fills in, a customer can talk it into: who is logged in must"
                " come from runtime.context.",
            ),
            (AttributeError, "make_my_orders must return the tool, made with @tool."),
        ],
    )
    for customer in ("C-0042", "C-0029"):
        own = set(orders.order_ids(customer))
        yield case(
            f"the orders of {customer}",
            customer,
            _lists(own),
            [
                ("", "The tool says nothing, and the model would have to make something up."),
                (_holds_more_than(own), "Those are other people's, too."),
                (_holds_a_part_of(own), "Some of the customer's orders are missing."),
            ],
        )
    yield case(
        "nobody is logged in",
        None,
        satisfies("a sentence that asks to log in, and no order", _asks_to_log_in),
        [
            (
                Exception,
                "The error ended the conversation. Return a sentence, which the agent can pass on.",
            )
        ],
    )
    yield case(
        "a customer who has no orders yet",
        "C-9999",
        satisfies("a sentence that says so", _says_so),
        [("", "An empty result leaves the model to invent something.")],
    )
    yield Case(
        "chosen when customers ask for it",
        call=lambda: [name == "my_orders" for name in runs.chosen(submission(orders), ASKING)],
        show="the agent's tools and my_orders, bound to the model; 12 customers ask for orders",
        expect=at_least(CHOSEN, of=len(ASKING), what="requests for which it is chosen"),
        slips=[
            (
                lambda got: sum(got) < CHOSEN,
                "Docstring and examples are all the model goes by: say there what customers say.",
            )
        ],
    )
    others = [
        one.question
        for one in questions("lab")
        if one.kind in {"order", "action"} or one.id in _FOR_SEARCH
    ]
    yield Case(
        "left alone when they ask for something else",
        call=lambda: [name == "my_orders" for name in runs.chosen(submission(orders), others)],
        show="the same tools; customers ask for one order, a refund, a person, a fact",
        expect=at_most(TAKEN, of=len(others), what="requests taken from other tools"),
        slips=[
            (
                lambda got: sum(got) > TAKEN,
                "Docstring or examples promise what other tools do: say only what this one does.",
            )
        ],
    )


_FOR_SEARCH = {f"lab-single_fact-{number:03}" for number in range(1, 9)}


def _ids(text: str) -> set[str]:
    return set(re.findall(r"FH-\d{5}", text))


def _lists(own: set[str]) -> Expectation:
    text = f"a text with the {len(own)} order numbers of this customer, and no other"
    return satisfies(text, lambda got: _ids(got) == own)


def _holds_more_than(own: set[str]) -> Callable[[str], bool]:
    return lambda got: _ids(got) > own


def _holds_a_part_of(own: set[str]) -> Callable[[str], bool]:
    return lambda got: set() < _ids(got) < own


def _says_so(got: str) -> bool:
    return bool(got.strip()) and not _ids(got) and "error" not in got.lower()


def _asks_to_log_in(got: str) -> bool | str:
    if _ids(got):
        return "Without a customer there are no orders to show."
    return bool(re.search(r"\b(log|sign)\w*[ -]?in\b", got, re.IGNORECASE))


# --- 01.3: when to refuse -------------------------------------------------------------------------

Choose = Callable[[list[float], list[float], float], float]


@exercise(
    "01.3",
    title="Choose when to refuse",
    hints=[
        "For one threshold, what does it cost? Count the answerable questions below it, and the"
        " unanswerable ones that are not below it.",
        "The cost only changes where the threshold passes a score. So it is enough to try every"
        " score of both lists.",
        "One candidate is missing then: a threshold above all scores, which refuses everything.",
        "min(candidates, key=cost), where cost(t) is sum(s < t for s in answerable) plus price *"
        " sum(s >= t for s in unanswerable), and candidates are all scores and math.inf.",
    ],
)
def choose_threshold(submission: Choose) -> Iterator[Case]:
    """The threshold of lowest cost on given scores; then on the shop's own questions."""
    from helpers.course.exercises import m01_runs as runs

    def case(
        name: str,
        answerable: list[float],
        unanswerable: list[float],
        price: float,
        slips: Sequence[tuple[Any, str]] = (),
    ) -> Case:
        return Case(
            name,
            call=lambda: submission(list(answerable), list(unanswerable), price),
            show=f"choose_threshold({answerable}, {unanswerable}, {price})",
            expect=_cheapest(answerable, unanswerable, price),
            slips=slips,
        )

    yield case("two groups that do not overlap", [0.7, 0.5, 0.8], [0.3, 0.2], 3)
    yield case("they overlap, and a wrong answer is dear", [0.8, 0.4, 0.6], [0.5, 0.3], 3)
    yield case("they overlap, and a wrong answer is cheap", [0.4, 0.8, 0.45], [0.3, 0.5], 1)
    yield case("the same score on both sides", [0.5, 0.9], [0.5, 0.1], 4)
    yield case("every answer would be wrong", [0.2], [0.9, 0.6], 2)
    yield case(
        "nothing is unanswerable",
        [0.6, 0.3],
        [],
        5,
        [(ValueError, "A list may be empty: max() and min() need something to look at.")],
    )
    dev, lab = runs.best_scores("dev"), runs.best_scores("lab")
    yield Case(
        "chosen on the dev part",
        call=lambda: submission(list(dev[0]), list(dev[1]), PRICE),
        show=f"choose_threshold(dev_answerable, dev_unanswerable, {PRICE})",
        expect=_cheapest(*dev, PRICE),
    )
    bounds = {"never refusing": -1.0, "always refusing": 2.0}
    costs = {name: _cost(bound, *lab, PRICE) for name, bound in bounds.items()}
    least = " and ".join(f"{name} ({cost:g})" for name, cost in costs.items())
    yield Case(
        "the same threshold on the lab part",
        call=lambda: submission(list(dev[0]), list(dev[1]), PRICE),
        show=f"choose_threshold(dev_answerable, dev_unanswerable, {PRICE})",
        expect=satisfies(
            f"a threshold that costs less on the lab part than {least}",
            lambda got: _cost(got, *lab, PRICE) < min(costs.values()) or _account(got, *lab, PRICE),
        ),
    )


PRICE = 2
"""What an invented answer costs the shop, in needless refusals."""


def _cost(
    threshold: float, answerable: Sequence[float], unanswerable: Sequence[float], price: float
) -> float:
    refused = sum(score < threshold for score in answerable)
    return refused + price * sum(score >= threshold for score in unanswerable)


def _account(
    threshold: float, answerable: Sequence[float], unanswerable: Sequence[float], price: float
) -> str:
    """What a threshold costs, in words."""
    refused = sum(score < threshold for score in answerable)
    wrong = sum(score >= threshold for score in unanswerable)
    equal = " A score equal to the threshold is answered." * (threshold in unanswerable)
    return (
        f"It refuses {refused} of {len(answerable)} answerable questions and answers {wrong} of"
        f" {len(unanswerable)} unanswerable ones: a cost of {refused + price * wrong:g}.{equal}"
    )


def _cheapest(
    answerable: Sequence[float], unanswerable: Sequence[float], price: float
) -> Expectation:
    costs = [
        _cost(bound, answerable, unanswerable, price)
        for bound in (*answerable, *unanswerable, math.inf)
    ]

    def test(got: Any) -> bool | str:
        if isinstance(got, bool) or not isinstance(got, int | float):
            return f"A number is expected, and this is of type {type(got).__name__}."
        cost = _cost(got, answerable, unanswerable, price)
        return cost <= min(costs) or _account(got, answerable, unanswerable, price)

    return satisfies(f"a threshold that costs {min(costs):g}", test)


# --- 01.4: two customers, two memories ------------------------------------------------------------


def conversation_config(caller: "Caller", conversation: str) -> "RunnableConfig":
    """The config that gives a caller's conversation its own memory."""
    return {"configurable": {"thread_id": conversation}}


@exercise(
    "01.4",
    title="Memory that keeps two customers apart",
    starter=conversation_config,
    hints=[
        "A checkpointer keeps one memory for each thread_id. Who else uses the same one?",
        "The thread_id needs both: who, and which conversation. Guests have None, which is not the"
        " text 'None'.",
        "Joined by a hyphen, which may stand in either part, two pairs can give one text. Which way"
        " of writing a pair can be read back without doubt?",
        "json.dumps([caller.customer_id, conversation]) quotes every text, and writes null for a"
        " guest.",
    ],
)
def memory(submission: "Configure") -> Iterator[Case]:
    """A config whose thread belongs to one caller's one conversation."""
    from helpers.agent import Caller
    from helpers.course.exercises import m01_runs as runs

    ann, ben, guest = Caller("C-0042"), Caller("C-0029"), Caller(None)

    def case(
        name: str,
        turns: "Sequence[tuple[Caller, str, str]]",
        remembered: Sequence[str],
        slips: Sequence[tuple[Any, str]] = (),
    ) -> Case:
        said = "; ".join(f"{who.customer_id} in {where!r}: {text!r}" for who, where, text in turns)
        return Case(
            name,
            call=lambda: runs.remembered(submission, turns),
            show=f"what the model reads at the end, after {said}",
            expect=list(remembered),
            slips=slips,
        )

    card = "My card ends in 4242."
    yield case(
        "another customer's conversation of the same name",
        [(ann, "chat-1", card), (ben, "chat-1", "Which card do I use?")],
        ["Which card do I use?"],
        [([card, "Which card do I use?"], "C-0029 can ask for what C-0042 has told.")],
    )
    yield case(
        "a conversation goes on",
        [(ann, "chat-1", card), (ben, "chat-1", "Hello."), (ann, "chat-1", "Which card?")],
        [card, "Which card?"],
        [(["Which card?"], "The agent has forgotten what the same customer said before.")],
    )
    yield case(
        "two conversations of one customer",
        [(ann, "chat-1", card), (ann, "chat-2", "Which card do I use?")],
        ["Which card do I use?"],
        [([card, "Which card do I use?"], "This is a new conversation: it is empty.")],
    )
    yield case(
        "a guest's conversation goes on",
        [(guest, "g-8f2c", "I like red."), (guest, "g-8f2c", "What do I like?")],
        ["I like red.", "What do I like?"],
    )
    yield Case(
        "no two pairs share a thread",
        call=lambda: _shared(submission),
        show='such as ("C-1", "2-x") and ("C-1-2", "x"), or a guest and a customer called "None"',
        expect=[],
        slips=[(lambda got: bool(got), "Each of these is a caller and a conversation, twice.")],
    )
    yield Case(
        "a guest names a conversation like a customer's thread",
        call=lambda: (
            _thread(submission, guest, _thread(submission, ann, "chat-1"))
            == _thread(submission, ann, "chat-1")
        ),
        show="whether conversation_config(Caller(None), <C-0042's thread_id>) is C-0042's thread",
        expect=False,
        slips=[(True, "Whoever can choose a conversation's name can choose this one.")],
    )


def _thread(configure: "Configure", caller: "Caller", conversation: str) -> Any:
    return configure(caller, conversation)["configurable"]["thread_id"]


def _shared(configure: "Configure") -> list[str]:
    """Pairs of caller and conversation that get one thread although they differ."""
    from helpers.agent import Caller

    pairs: list[tuple[str | None, str]] = [(None, "x"), ("None", "x"), ("", "x"), ("guest", "x")]
    for sign in "-:/_|,. ":
        pairs += [("C", f"1{sign}x"), (f"C{sign}1", "x")]
    seen: dict[Any, tuple[str | None, str]] = {}
    shared = []
    for pair in pairs:
        first = seen.setdefault(_thread(configure, Caller(pair[0]), pair[1]), pair)
        if first != pair:
            shared.append(f"{first} and {pair}")
    return shared


# --- 01.5: an action in two steps -----------------------------------------------------------------


def _look(order: str) -> tuple[str, str]:
    return "lookup_order", order


def _refund(order: str) -> tuple[str, str]:
    return "issue_refund", order


@exercise(
    "01.5",
    title="Look before a refund",
    hints=[
        "request.tool_call is a dictionary with name, args and id. Which calls are not your"
        " business? Those are handler(request).",
        'What was looked up stands in request.state["messages"], and nowhere else: what you keep'
        " yourself is shared by all customers.",
        "Which order was asked for stands in an AIMessage's tool_calls, whether it was found in a"
        ' ToolMessage\'s status, "success" or "error". id and tool_call_id join the two.',
        "To refuse, do not call handler: return ToolMessage('Look ... up with lookup_order first.',"
        ' tool_call_id=request.tool_call["id"], status="error").',
    ],
)
def look_before_refund(submission: "Guard") -> Iterator[Case]:
    """A guard around tool calls: no refund of an order that was not looked up before."""
    from helpers.course.exercises import m01_runs as runs

    def case(
        name: str,
        customer: str,
        turns: "Sequence[Turn]",
        expect: list[str],
        why: str,
        *,
        busy: bool = False,
    ) -> Case:
        last_order = turns[-1][1][-1][-1][1]
        return Case(
            name,
            call=lambda: runs.acted(submission, turns, customer, busy=busy)[0],
            show=f"the orders refunded, when the model calls {_story(turns)}",
            expect=expect,
            slips=[([] if expect else [last_order], why)],
        )

    # Every case has an order of its own: what a guard keeps to itself must not tip another case.
    yield case(
        "no lookup at all",
        "C-0029",
        [("chat-1", [[_refund("FH-10742")]])],
        [],
        "The refund was paid before anybody had looked at the order.",
    )
    yield case(
        "looked up, then refunded",
        "C-0011",
        [("chat-1", [[_look("FH-10803")], [_refund("FH-10803")]])],
        ["FH-10803"],
        "The order had been looked up: this refund is in order.",
    )
    yield case(
        "another order was looked up",
        "C-0132",
        [("chat-1", [[_look("FH-10563")], [_refund("FH-10839")]])],
        [],
        "FH-10563 was looked up, and FH-10839 refunded.",
    )
    yield case(
        "the lookup failed",
        "C-0026",
        [("chat-1", [[_look("FH-10654")], [_refund("FH-10654")]])],
        [],
        'The lookup came back with status "error": nobody has seen the order.',
        busy=True,
    )
    yield case(
        "both in one message",
        "C-0053",
        [("chat-1", [[_look("FH-10777"), _refund("FH-10777")]])],
        [],
        "The model asked for both at once: it decided on the refund before it saw the order.",
    )
    yield case(
        "looked up earlier in the conversation",
        "C-0075",
        [("chat-1", [[_look("FH-10847")]]), ("chat-1", [[_refund("FH-10847")]])],
        ["FH-10847"],
        "The lookup stands in the messages of an earlier turn: it counts.",
    )
    yield case(
        "looked up in another conversation",
        "C-0035",
        [("chat-1", [[_look("FH-10824")]]), ("chat-2", [[_refund("FH-10824")]])],
        [],
        "The guard remembers lookups of other conversations: it must read them off the messages.",
    )
    yield Case(
        "what the model is told",
        call=lambda: runs.acted(
            submission, [("chat-1", [[_refund("FH-10738")]])], customer="C-0045"
        )[1],
        show="the tool's message after a refund without a lookup",
        expect=satisfies('a message with status "error" that names lookup_order', _sends_back),
    )
    yield Case(
        "the other tools work as before",
        call=lambda: (
            runs.acted(
                submission, [("chat-1", [[("hand_over", "a complaint")]])], customer="C-0045"
            )[1].status
        ),
        show='the status of the message after hand_over("a complaint")',
        expect="success",
    )


def _story(turns: "Sequence[Turn]") -> str:
    told = []
    for name, steps in turns:
        made = [" and ".join(f"{tool}({value!r})" for tool, value in calls) for calls in steps]
        told.append(f"{', then '.join(made)} in {name}")
    return ", later ".join(told)


def _sends_back(got: Any) -> bool | str:
    if got.status != "error":
        return 'The message says that all went well. Give it status="error".'
    if "lookup_order" not in got.text:
        return "It does not name lookup_order, so the model cannot know what to do first."
    return True


# --- 01.6: quote instead of rephrase --------------------------------------------------------------

EVERY = 11 if FAST else 2
"""The step through the lab part's 64 questions that have an answer: 6 or 31 are asked."""

RIGHT = 4 if FAST else 16
"""How many of them must be answered rightly: of 31, the friendly agent answers 4, and 23 when it
quotes."""


@exercise(
    "01.6",
    title="Quote instead of rephrase",
    hints=[
        "Let the model speak first: response = handler(request). Its message is"
        " response.result[-1]. When that calls a tool, the turn is not over: return the response.",
        "This turn's messages are those after the last HumanMessage in request.messages. Which"
        " ToolMessages are among them? Their text is what the customer is to read.",
        "A search that found nothing has an empty list as its artifact: leave it out. Where no text"
        " is left, return the response.",
        "texts = [m.text for m in turn if isinstance(m, ToolMessage) and m.artifact != []], then"
        ' reply.model_copy(update={"content": " ".join(texts)}).',
    ],
)
def quote(submission: "Quote") -> Iterator[Case]:
    """A wrapper around model calls that answers with what the tools of this turn have said."""
    from helpers.agent import REFUSAL
    from helpers.course.exercises import m01_runs as runs
    from helpers.course.exercises.scripted import calling, saying

    search, hand_over = ("search_documents", {"query": "boots"}), ("hand_over", {"reason": "boots"})
    look, other = (
        ("lookup_order", {"order_id": "FH-10742"}),
        ("lookup_order", {"order_id": "FH-10001"}),
    )

    def case(
        name: str,
        show: str,
        turns: "Sequence[Sequence[AIMessage]]",
        expect: object,
        slips: Sequence[tuple[Any, str]],
        *,
        finds: bool = True,
    ) -> Case:
        documents = runs.OnePassage() if finds else runs.NoDocuments()
        return Case(
            name,
            call=lambda: runs.spoken(submission, turns, documents)[1],
            show=show,
            expect=expect,
            slips=slips,
        )

    yield case(
        "a search found something",
        f"the answer, when the search returns {runs.BOOTS.excerpt!r}",
        [[calling(search), saying("For 5 years.")]],
        _holding(runs.BOOTS.best, without="5 years"),
        [
            ("For 5 years.", "These are the model's words, and the document says otherwise."),
            (_holds("5 years"), "That is more than the search returned: the rest does not answer."),
        ],
    )
    yield case(
        "two tools have spoken",
        "the answer, when this turn holds a lookup of FH-10742 and a search",
        [[calling(look), calling(search), saying("It came in June.")]],
        _holding("FH-10742", runs.BOOTS.best),
        [
            (lambda got: "FH-10742" not in got, "What the lookup returned is missing."),
            (lambda got: runs.BOOTS.best not in got, "What the search returned is missing."),
            (_holds(runs.BOOTS.best), "The lookup came first: keep the order."),
        ],
    )
    yield Case(
        "the model wants a second tool",
        call=lambda: runs.spoken(
            submission,
            [[calling(search), calling(hand_over), saying("A colleague will call.")]],
            runs.OnePassage(),
        )[0],
        show="the tools called, when the model first searches and then hands over",
        expect=["search_documents", "hand_over"],
        slips=[(["search_documents"], "It answered before the second call: nobody was called.")],
    )
    yield case(
        "a tool refuses",
        "the answer, when lookup_order is asked for an order of somebody else",
        [[calling(other), saying("It is on its way.")]],
        _holding("no order FH-10001"),
        [("It is on its way.", "A refusal of a tool is a sentence for the customer, too.")],
    )
    yield case(
        "nothing was found",
        "the answer, when the search comes back without a passage",
        [[calling(search), saying("")]],
        REFUSAL,
        [
            (IndexError, "The artifact of such a search is an empty list."),
            ("", "There is no text to quote: leave the agent's own answer."),
            (
                _holds("Nothing"),
                "That is what the search tells the agent, not the customer.",
            ),
        ],
        finds=False,
    )
    yield case(
        "the tools spoke in an earlier turn",
        "the second answer, when the customer has only said thank you",
        [[calling(search), saying("For 5 years.")], [saying("You are welcome.")]],
        "You are welcome.",
        [(_holds(runs.BOOTS.best), "That answers the question before: this turn has no result.")],
    )
    asked = [one for one in questions("lab") if one.kind != "unanswerable"][3::EVERY]
    yield Case(
        "right answers of the running agent",
        call=lambda: runs.right_answers(submission, asked),
        show=f"the friendly agent with quote around its model, on {len(asked)} lab questions",
        expect=at_least(RIGHT, of=len(asked), what="answers right"),
        limit=300,
    )


def _holds(text: str) -> Callable[[Any], bool]:
    return lambda got: isinstance(got, str) and text in got


def _holding(*texts: str, without: str = "") -> Expectation:
    """A text that holds these, in this order."""

    def test(got: str) -> bool:
        places = [got.find(text) for text in texts]
        return places[0] >= 0 and places == sorted(places) and not (without and without in got)

    wanted = ", then ".join(repr(text) for text in texts)
    return satisfies(f"a text with {wanted}" + f" and without {without!r}" * bool(without), test)
