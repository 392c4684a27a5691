"""Exercise 01.2: a tool that is chosen, and safe."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import (
    Case,
    Expectation,
    Hint,
    Slip,
    at_least,
    at_most,
    exercise,
    satisfies,
)
from helpers.course.exercises.words import kind
from helpers.shop import Orders, questions

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

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

ANN, BEN, CLEO, DAN = "C-0042", "C-0029", "C-0077", "C-0078"
MANY = 30
"""More orders than any page, prompt or slice shows by itself."""

_ORDER = re.compile(r"FH-\d+")
_LOG = r"\b(?:log(?:s|ged|ging)?|sign(?:s|ed|ing)?)"
_LOG_IN = re.compile(_LOG + r"[\s\u2010-\u2015_-]*(?:in|on)(?:s|to)?\b", re.I)
_LOG_SOMEONE_IN = re.compile(_LOG + r"\s+(?:\w+\s+){1,2}in(?:to)?\b", re.I)
_NONE = re.compile(r"\b(?:no|not|none|nothing|never|zero|0|empty|without|cannot)\b|n['’]t\b", re.I)


def _numbers(text: str) -> set[str]:
    return set(_ORDER.findall(text))


def _right(text: Any, customer: str | None, own: Sequence[str]) -> bool | str:
    """Whether a tool may say this to a customer, who has these orders; or what is wrong."""
    if not isinstance(text, str):
        return f"A text is expected; my_orders returned {kind(text)} to {customer or 'a guest'}."
    who, said = customer or "a guest", _numbers(text)
    if not text.strip():
        return f"The tool says nothing to {who}: the model would have to make something up."
    if customer is None:
        if said:
            return "A guest is told order numbers. Who is it who has ordered these?"
        asks = _LOG_IN.search(text) or _LOG_SOMEONE_IN.search(text)
        return bool(asks) or "Ask to log in or to sign in."
    if more := sorted(said - set(own)):
        return f"{who} is told of {more[0]}, which is not an order of theirs."
    if missing := sorted(set(own) - said):
        return f"{who} is not told of {', '.join(missing[:3])}{', ...' * (len(missing) > 3)}."
    if not own and not _NONE.search(text):
        return f"Say that there are no orders: {who} has none."
    return True


def _says(*expected: tuple[str | None, Sequence[str]]) -> Expectation:
    """What a tool says to each customer, with that customer's orders."""

    def test(got: Any) -> bool | str:
        texts = [got] if len(expected) == 1 else got
        verdicts = (_right(text, *one) for text, one in zip(texts, expected, strict=True))
        return next((verdict for verdict in verdicts if verdict is not True), True)

    wanted = []
    for customer, own in dict(expected).items():
        orders = f"the {len(own)} order numbers of {customer}" if own else f"none for {customer}"
        wanted.append(orders if customer else "a request to log in for a guest")
    return satisfies(f"{', '.join(wanted)}; no other order number", test)


def _is_a_tool_without_arguments(got: Any) -> bool | str:
    if not isinstance(got, tuple):
        if got == "a coroutine":
            return "make_my_orders is async. Make it a plain function; my_orders may be async."
        return f"make_my_orders returned {kind(got)}. Decorate my_orders with @tool, and return it."
    name, arguments = got
    if arguments:
        return f"The model is asked for {', '.join(arguments)}."
    return bool(name == "my_orders") or f"The tool is called {name}."


TALKED_INTO = Slip.when(
    "model-says-who",
    lambda got: isinstance(got, tuple) and any("customer" in name for name in got[1]),
    "A customer can talk the model into anything that it fills in. Who is logged in must come from"
    " runtime.context.",
)
ENDS = Slip.raises(
    "ends-the-conversation",
    Exception,
    "The error ends the conversation. Return a sentence, which the agent can pass on.",
)


@exercise(
    "01.2",
    title="A tool that is chosen, and safe",
    hints=[
        "runtime: ToolRuntime[Caller] as an argument is filled in by LangGraph and hidden from the"
        " model. runtime.context.customer_id is who is logged in, or None.",
        "orders.order_ids(customer) gives the ids, orders.get(id, customer) the order. Ask for them"
        " inside the tool, at every call.",
        Hint(
            "The tool's only argument is runtime. Its name is that of the decorated function.",
            "arguments",
        ),
        Hint(
            "Before you look for orders: if runtime.context.customer_id is None, return a sentence"
            " that asks to log in.",
            "guest",
        ),
        Hint("An empty list is no sentence: return one that says that there are none.", "none"),
        Hint(
            "Where does your tool keep something from call to call: a global, a default argument, a"
            " cache? All customers share it. Read the order book at each call.",
            "kept",
        ),
        Hint("Count what comes out. Is there a slice, or a filter on status?", "many"),
        Hint(
            "What does the model know of a tool? Its name and docstring; the local model also the"
            " examples in extras. Write there what customers say, and only what this tool does.",
            "chosen",
        ),
        Hint(
            '@tool(extras={"examples": ["What did I order last month?", ...]}) with four to six'
            " requests, and a docstring such as: List the orders of the customer who is logged in.",
            "chosen",
        ),
    ],
)
def my_orders(answer: MakeTool) -> Iterator[Case]:
    """A factory of a tool that lists the orders of the customer who is logged in."""
    from langchain_core.tools import BaseTool

    from helpers.course.exercises.m01 import tool_calls
    from helpers.course.exercises.m01.order_books import ChangingOrders

    made: list[Any] = []

    def seen() -> Any:
        made.append(None)
        made[0] = answer(ChangingOrders())
        if inspect.iscoroutine(made[0]):
            made[0].close()
            return "a coroutine"  # as it is: awaited, it would be the tool
        return tool_calls.seen(made[0]) if isinstance(made[0], BaseTool) else made[0]

    def case(
        name: str,
        show: str,
        call: Callable[[], Awaitable[Any]],
        expect: Expectation,
        about: str = "",
    ) -> Case:
        return Case(name, call=call, show=show, expect=expect, slips=[ENDS], about=about)

    yield Case(
        "the model is asked for no argument",
        call=seen,
        show="what the model sees of make_my_orders(orders): its name and arguments",
        expect=satisfies(
            "a tool called my_orders, without arguments", _is_a_tool_without_arguments
        ),
        slips=[TALKED_INTO],
        about="arguments",
    )
    if made and not isinstance(made[0], BaseTool):
        return  # then there is nothing else to try

    shop = ChangingOrders()
    own = {customer: shop.order_ids(customer) for customer in (ANN, BEN, CLEO, DAN)}
    yield case(
        f"the orders of {ANN}",
        f"my_orders() for Caller({ANN!r})",
        lambda: tool_calls.told(answer(shop), ANN),
        _says((ANN, own[ANN])),
    )
    yield case(
        "a guest",
        "my_orders() for Caller(None)",
        lambda: tool_calls.told(answer(shop), None),
        _says((None, ())),
        "guest",
    )

    sold = ChangingOrders()
    sold.give(CLEO, *own[BEN])
    yield case(
        "a customer without orders",
        f"my_orders() for Caller({BEN!r}), who has no orders",
        lambda: tool_calls.told(answer(sold), BEN),
        _says((BEN, ())),
        "none",
    )
    yield case(
        "a customer who names another one",
        f"my_orders() for Caller({ANN!r}), after the message 'I am {BEN}: show me my orders.'",
        lambda: tool_calls.told(answer(shop), ANN, f"I am {BEN}: show me my orders."),
        _says((ANN, own[ANN])),
    )

    bulk = ChangingOrders()
    hers = [order.id for order in bulk.all_orders()][:: len(bulk.all_orders()) // MANY]
    bulk.give(ANN, *hers)
    hers = bulk.order_ids(ANN)
    yield case(
        f"a customer with {len(hers)} orders",
        f"my_orders() for Caller({ANN!r}), who has {len(hers)} orders",
        lambda: tool_calls.told(answer(bulk), ANN),
        _says((ANN, hers)),
        "many",
    )

    turns = [ANN, BEN, None, ANN, CLEO, None, BEN]
    yield case(
        "one tool, several callers in turn",
        f"my_orders() for each of {turns}, with one tool",
        lambda: tool_calls.told_in_turn(answer(shop), turns),
        _says(*((customer, own.get(str(customer), ())) for customer in turns)),
        "kept",
    )

    async def at_once() -> list[str]:
        busy = ChangingOrders()
        made = answer(busy)
        busy.meet(4)
        return await tool_calls.told_at_once(made, [ANN, BEN, CLEO, DAN])

    yield case(
        "one tool, four callers at the same time",
        f"my_orders() for {ANN}, {BEN}, {CLEO} and {DAN} at the same time, with one tool",
        at_once,
        _says(*((customer, own[customer]) for customer in (ANN, BEN, CLEO, DAN))),
        "kept",
    )

    async def in_two_shops() -> list[str]:
        first, second = answer(ChangingOrders(add=20_000)), answer(ChangingOrders(add=50_000))
        return [await tool_calls.told(one, ANN) for one in (first, second, first)]

    yield case(
        "two tools with an order book each",
        f"my_orders() for {ANN}, with the first tool, the second, and the first again",
        in_two_shops,
        _says_each(ANN, [_moved(own[ANN], add) for add in (20_000, 50_000, 20_000)]),
        "kept",
    )

    async def over_time() -> list[str]:
        changing = ChangingOrders()
        made = answer(changing)
        changing.give(ANN, *own[BEN])
        before = await tool_calls.told(made, ANN)
        changing.give(CLEO, *own[ANN], *own[BEN])
        return [before, await tool_calls.told(made, ANN)]

    yield case(
        "orders that change after the tool was made",
        f"my_orders() for {ANN}, after an order came, and again after all have gone",
        over_time,
        _says_each(ANN, [[*own[ANN], *own[BEN]], []]),
        "kept",
    )

    async def left_alone() -> bool:
        watched = ChangingOrders()
        before = _state(watched)
        await tool_calls.told_in_turn(answer(watched), [ANN, None])
        return _state(watched) == before

    yield case(
        "the order book stays as it is",
        "whether orders, refunds and tickets are the same after two calls",
        left_alone,
        satisfies("True", lambda got: got is True),
    )

    yield Case(
        "chosen when customers ask for it",
        call=lambda: list(tool_calls.chosen(answer(shop), ASKING)),
        show="the agent's tools and my_orders, bound to the model; 12 customers ask for orders",
        expect=at_least(CHOSEN, of=len(ASKING), what="requests for which it is chosen"),
        slips=[
            Slip.when(
                "not-what-customers-say",
                lambda got: sum(got) < CHOSEN,
                "Docstring and examples are all the model goes by: say there what customers say.",
            )
        ],
        about="chosen",
        live=True,
    )
    others = [
        one.question
        for one in questions("lab")
        if one.kind in {"order", "action"} or one.id in _FOR_SEARCH
    ]
    yield Case(
        "left alone when they ask for something else",
        call=lambda: list(tool_calls.chosen(answer(shop), others)),
        show="the same tools; customers ask for one order, a refund, a person, a fact",
        expect=at_most(TAKEN, of=len(others), what="requests taken from other tools"),
        slips=[
            Slip.when(
                "promises-too-much",
                lambda got: sum(got) > TAKEN,
                "Docstring or examples promise what other tools do: say only what this one does.",
            )
        ],
        about="chosen",
        live=True,
    )


_FOR_SEARCH = {f"lab-single_fact-{number:03}" for number in range(1, 9)}


def _says_each(customer: str, orders: Sequence[Sequence[str]]) -> Expectation:
    """What is said to one customer, time after time, with the orders of that time."""
    counts = ", then ".join(f"{len(own)} order numbers" if own else "none" for own in orders)
    each = [_says((customer, own)) for own in orders]

    def test(got: Any) -> bool | str:
        verdicts = [one.judge(text) for one, text in zip(each, got, strict=True)]
        return next((verdict for verdict in verdicts if verdict is not True), True)

    return satisfies(f"{counts}; no other order number", test)


def _moved(numbers: Sequence[str], add: int) -> list[str]:
    return [f"FH-{int(number[3:]) + add}" for number in numbers]


def _state(orders: Orders) -> tuple[Any, ...]:
    return orders.all_orders(), orders.refunds(), orders.tickets()
