"""The agent of exercise 10.6, asked unseen questions, and what its answers cost.

`python -m helpers.course.exercises.m10.gate` asks the given agent the same questions, which takes
about two minutes, and writes its figures to `gate_given.json`: the check compares with them.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any, Final

import yaml
from langchain.agents.middleware import AgentMiddleware
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from helpers.agent import THRESHOLD, Caller, Passage, Retriever, build_agent, fernhill_index
from helpers.agent.retrieval import DocumentIndex
from helpers.cost.outcomes import Outcome
from helpers.cost.prices import price
from helpers.cost.rates import Rates
from helpers.course.exercises.words import kind
from helpers.course.todo import TODO
from helpers.evaluate import score_answer
from helpers.models import embeddings
from helpers.shop import Question, documents, open_orders
from helpers.shop.questions import ToolCall

REQUESTS: Final = 40
SHARE: Final = Decimal("0.1")
"""Of the given agent's cost for a right answer: what one may cost at most."""
FEWEST_RIGHT: Final = 30
MOST_HANDED_OVER: Final = 4
OLD: Final = "had the answer from before the refund"
_SEED: Final = 6
_QUESTIONS: Final = Path(__file__).with_name("gate_questions.yaml")
_GIVEN: Final = Path(__file__).with_name("gate_given.json")


@dataclass(frozen=True)
class Figures:
    """What came of the requests, and what their answers cost in US dollars."""

    right: int
    wrong: int
    handed_over: int
    usd: str

    @property
    def for_right(self) -> Decimal | None:
        """Dollars for a right answer; None where none is right."""
        return Decimal(self.usd) / self.right if self.right else None


@cache
def given() -> Figures:
    """The figures of the given agent, measured before."""
    return Figures(**json.loads(_GIVEN.read_text("utf-8")))


@cache
def requests() -> tuple[Question, ...]:
    """Questions in the order in which they are asked.

    Each intent comes once, and the rest by Zipf's law; the wording is any of the intent's.
    """
    random, kinds = Random(_SEED), yaml.safe_load(_QUESTIONS.read_text("utf-8"))
    weights = [1 / rank for rank in range(1, len(kinds) + 1)]
    drawn = [
        *range(len(kinds)),
        *random.choices(range(len(kinds)), weights, k=REQUESTS - len(kinds)),
    ]
    random.shuffle(drawn)
    return tuple(_question(n, kinds[n], random.choice(kinds[n]["wordings"])) for n in drawn)


def _question(number: int, one: dict[str, Any], text: str) -> Question:
    return Question(
        id=f"lab-{one['kind']}-{number + 900}",
        kind=one["kind"],
        question=text,
        customer=one.get("customer"),
        document=one.get("document"),
        order=one.get("order"),
        required=tuple(tuple(group) for group in one.get("required", ())),
        forbidden=tuple(one["forbidden"]),
        tools=(ToolCall("lookup_order" if one["kind"] == "order" else "search_documents"),),
    )


@dataclass(frozen=True)
class Trap:
    """Two questions in nearly the same words, with another answer each."""

    stored: str
    asked: str
    old: str
    new: str


TRAPS: Final = (
    Trap("How heavy is the Ridge 28?", "How heavy is the Ridge 45?", "890 g", "1.45 kg"),
    Trap(
        "When does an express order placed before 2 pm arrive?",
        "When does an express order placed after 2 pm arrive?",
        "the next working day",
        "second working day",
    ),
    Trap(
        "What is the comfort temperature of the Eider 900?",
        "What is the comfort temperature of the Eider 600?",
        "minus 13",
        "minus 4",
    ),
    Trap(
        "What is the deposit for a rented tent?",
        "What is the deposit for a rented rucksack?",
        "£100",
        "£40",
    ),
    Trap(
        "Which men's size is a chest of 105 cm?",
        "Which men's size is a chest of 112 cm?",
        "size L",
        "size XL",
    ),
    Trap(
        "How many days do I have to return outlet goods?",
        "How many days do I have to return a climbing rope?",
        "21 days",
        "14 days",
    ),
    Trap(
        "How long does a card refund take to show?",
        "How long does a PayPal refund take to show?",
        "3 working days",
        "24 hours",
    ),
    Trap(
        "What is the R-value of the Drift foam mat?",
        "What is the R-value of the Drift air mat?",
        "2.0",
        "3.5",
    ),
)


class Bill(BaseCallbackHandler):
    """What the calls of any model, and the searches, cost."""

    raise_error = True

    def __init__(self) -> None:
        self.usd, self._lock = Decimal(0), Lock()

    def embedded(self) -> None:
        """One text was embedded: for a search, or for a call of the model."""
        self._add(Rates().search_usd(1))

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """A model is called: its tools are chosen by embedding the question."""
        self.embedded()

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """A model has answered."""
        for generation in (one for several in response.generations for one in several):
            message = generation.message if isinstance(generation, ChatGeneration) else None
            if isinstance(message, AIMessage) and message.usage_metadata:
                self._add(price("local", message.usage_metadata))

    def _add(self, dollars: Decimal) -> None:
        with self._lock:
            self.usd += dollars


class Counted:
    """A retriever whose searches are on the bill."""

    def __init__(self, inner: Retriever, bill: Bill) -> None:
        self._inner, self._bill = inner, bill

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """What the inner one finds."""
        self._bill.embedded()
        return self._inner.search(query, k)


@dataclass(frozen=True)
class Reply:
    """What the agent said, and the tools that were called."""

    text: str
    tools: tuple[str, ...] = ()


Cheaper = Callable[[Retriever, float], Sequence[AgentMiddleware[Any, Any, Any]]]


class Shop:
    """An agent over an index and an order book, with middleware in front of it."""

    def __init__(self, cheaper: Cheaper, index: Retriever) -> None:
        self.bill, self.orders = Bill(), open_orders()
        retriever = Counted(index, self.bill)
        made = cheaper(retriever, THRESHOLD)
        if not isinstance(made, list | tuple):  # a TODO, for one
            raise TypeError(f"A list of middleware is expected; this is {kind(made)}.")
        self._agent = build_agent(retriever=retriever, orders=self.orders, middleware=list(made))

    def ask(self, text: str, customer: str | None = None) -> Reply:
        """Ask in a conversation of its own."""
        state = self._agent.invoke(
            {"messages": [HumanMessage(text)]},
            config={"configurable": {"thread_id": str(uuid.uuid4())}, "callbacks": [self.bill]},
            context=Caller(customer),
        )
        messages = state["messages"]
        tools = [str(one.name) for one in messages if isinstance(one, ToolMessage)]
        return Reply(str(messages[-1].text), tuple(tools))


def outcome(question: Question, reply: Reply) -> Outcome:
    """Right; or else handed over, if it says that it does not know or opens a ticket; or wrong."""
    judged = score_answer(question, reply.text)
    if judged.right:
        return "right"
    return "handed over" if judged.refused or "hand_over" in reply.tools else "wrong"


@dataclass
class Found:
    """What middleware made of everything that was asked."""

    outcomes: list[tuple[Question, Reply, Outcome]] = field(default_factory=list)
    usd: Decimal = Decimal(0)
    stopped: bool = False
    served: list[Trap] = field(default_factory=list)
    missed: list[Trap] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def figures(self) -> Figures:
        """Counted."""
        found = [one for _, _, one in self.outcomes]
        return Figures(
            right=found.count("right"),
            wrong=found.count("wrong"),
            handed_over=found.count("handed over"),
            usd=str(self.usd),
        )

    def of(self, wanted: Outcome) -> list[tuple[str, str]]:
        """The questions and answers with this outcome."""
        return [(one.question, reply.text) for one, reply, came in self.outcomes if came == wanted]


class Tried:
    """A submission, asked everything at most once."""

    def __init__(self, cheaper: Any) -> None:
        self._cheaper = cheaper

    def middleware(self) -> list[Any]:
        """What the submission makes."""
        if self._cheaper is TODO:
            return list(self._cheaper)  # raises as a TODO does
        made = self._cheaper(Counted(_index(), Bill()), THRESHOLD)
        return list(made)

    def found(self) -> Found:
        """What came of it."""
        return self._found

    @cached_property
    def _found(self) -> Found:
        found, shop = Found(), Shop(self._cheaper, _index())
        most = most_for_right() * REQUESTS
        for question in requests():
            reply = shop.ask(question.question, question.customer)
            found.outcomes.append((question, reply, outcome(question, reply)))
            found.usd = shop.bill.usd
            if found.usd > most:  # already more than if all were right
                found.stopped = True
                return found
        _traps(shop, found)
        _customers(shop, found)
        _acts(shop, found)
        _other_documents(self._cheaper, found)
        return found


def most_for_right() -> Decimal:
    """Dollars for a right answer at most."""
    of_given = given().for_right
    assert of_given is not None
    return of_given * SHARE


def _traps(shop: Shop, found: Found) -> None:
    for one in TRAPS:
        shop.ask(one.stored)
        answer = shop.ask(one.asked).text
        if one.new not in answer:
            (found.served if one.old in answer else found.missed).append(one)


def _customers(shop: Shop, found: Found) -> None:
    """The same words by somebody else, and after a change."""
    for text, owner, others, secret in (
        ("What is the state of FH-11007?", "C-0093", ("C-0104", None), "shipped"),
        ("When was FH-10771 delivered?", "C-0070", ("C-0032", "C-0093"), "5 June"),
    ):
        if secret not in shop.ask(text, owner).text:
            found.stale.append(f"{text} was not answered to its own customer")
        found.told += [
            f"{text} was answered to {other or 'a guest'}"
            for other in others
            if secret in shop.ask(text, other).text
        ]
    refunded = "How much of FH-10781 has been refunded?"
    before = shop.ask(refunded, "C-0032").text
    shop.orders.refund("FH-10781", "C-0032", Decimal(20))
    after = shop.ask(refunded, "C-0032").text
    if "£20.00" not in after:
        as_before = after == before and "£" in before
        found.stale.append(f"{refunded} {OLD if as_before else 'was not answered'}")


def _acts(shop: Shop, found: Found) -> None:
    """What the agent does, and does not only say."""
    shop.ask("Refund £30 of FH-10771.", "C-0070")
    if shop.orders.get("FH-10771", "C-0070").refunded != 30:
        found.undone.append("Refund £30 of FH-10771.")
    shop.ask("Please refund all of FH-10768.", "C-0087")
    if shop.orders.get("FH-10768", "C-0087").refunded != 549:
        found.undone.append("Please refund all of FH-10768.")
    before, person = len(shop.orders.tickets()), "I want to talk to a human being, please."
    shop.ask(person, "C-0093")
    if len(shop.orders.tickets()) != before + 1:
        found.undone.append(person)


def _other_documents(cheaper: Cheaper, found: Found) -> None:
    """A second agent, in the same process, whose documents say something else."""
    shop = Shop(cheaper, _changed_index())
    for text, fact in (
        ("How many months is a gift card valid?", "36 months"),
        ("how many days have i got to return a sleeping bag", "45 days"),
    ):
        answer = shop.ask(text).text
        if fact not in answer:
            found.elsewhere.append(f"{text} {answer}")


@cache
def _index() -> DocumentIndex:
    return fernhill_index()


@cache
def _changed_index() -> DocumentIndex:
    changes = {"24 months": "36 months", "within 30 days of delivery": "within 45 days of delivery"}
    chosen = [one for one in documents() if one.id in ("gift-cards", "returns", "rental")]
    for old, new in changes.items():
        chosen = [replace(one, text=one.text.replace(old, new)) for one in chosen]
    return DocumentIndex(chosen, embeddings())


# --- what the cases ask of it ---------------------------------------------------------------------


def measured(found: Found, passes: bool) -> bool | str:
    """A verdict, where everything was asked."""
    if found.stopped:
        return f"Not asked to the end: it was stopped after {len(found.outcomes)} questions."
    return passes


def is_cheap(found: Found) -> bool | str:
    """Whether a right answer is cheap enough."""
    cost = found.figures.for_right
    return measured(found, cost is not None and cost <= most_for_right())


def told_of_cost(found: Found) -> str:
    """The cost of a right answer, and of how many questions."""
    figures, asked = found.figures, len(found.outcomes)
    spent = f"{found.usd * 1_000_000:.1f} micro-dollars for {asked} questions"
    cost = figures.for_right
    each = "" if cost is None else f", {cost * 1_000_000:.2f} a right answer"
    return f"{spent}{each}{' (then it was stopped)' if found.stopped else ''}"


def model_writes(found: Found) -> bool:
    """Whether more was spent than choosing tools and searching can cost."""
    return found.usd > Rates().search_usd(6) * len(found.outcomes)


def told_of_outcome(found: Found, outcome: Outcome) -> str:
    """How many, and the first two of them."""
    those = found.of(outcome)
    first = "".join(f"\n{question} {answer[:120]}" for question, answer in those[:2])
    return f"{len(those)} {outcome}{', such as' if those else ''}{first}"


def answers_unanswerable(found: Found) -> bool:
    """Whether most questions without an answer got one."""
    those = [came for question, _, came in found.outcomes if question.kind == "unanswerable"]
    return those.count("wrong") > len(those) / 2


def no_trap(found: Found) -> bool | str:
    """Whether each second question had its own answer."""
    return measured(found, not found.served and not found.missed)


def told_of_traps(found: Found) -> str:
    """Those that were served the first one's answer, and those that had another wrong one."""
    bad = [*found.served, *found.missed]
    first = f", such as: {bad[0].asked}" if bad else ""
    return f"{len(found.served)} the first one's answer, {len(found.missed)} none{first}"


def measure() -> Figures:
    """Ask the given agent, without middleware."""
    shop, found = Shop(lambda *_: [], _index()), Found()
    for question in requests():
        reply = shop.ask(question.question, question.customer)
        found.outcomes.append((question, reply, outcome(question, reply)))
    found.usd = shop.bill.usd
    return found.figures


if __name__ == "__main__":
    of_given = measure()
    _GIVEN.write_text(json.dumps(asdict(of_given), indent=2) + "\n", "utf-8")
    print(of_given, of_given.for_right)
