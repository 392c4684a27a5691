import uuid
from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents.middleware import ModelRequest, ModelResponse, ToolCallRequest
from langchain.tools import BaseTool, ToolException, ToolRuntime, tool
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from helpers.agent import Caller
from helpers.shop import Orders
from tests.wrong import wrong

Scores = dict[str, float]
Handler = Callable[[ToolCallRequest], ToolMessage]


def best_first(scores: Scores) -> list[str]:
    return sorted(scores, key=lambda name: scores[name], reverse=True)


def scaled(scores: Scores) -> Scores:
    low, high = min(scores.values()), max(scores.values())
    return {name: (score - low) / (high - low) for name, score in scores.items()}


# --- 01.1 -----------------------------------------------------------------------------------------


@wrong("01.1", "no-op", "The order in which the documents came.", says="in which they came")
def as_they_came() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        return list(meaning)

    return fuse


@wrong("01.1", "no-op", "Ranks by meaning alone.", says="does not listen to the words")
def meaning_alone() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        return best_first(meaning)

    return fuse


@wrong("01.1", "misreading", "Adds scores of different scales.", says="drown")
def plain_sum() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        return best_first({name: words.get(name, 0.0) + meaning[name] for name in meaning})

    return fuse


@wrong("01.1", "slip", "Nothing to divide by when all scores are equal.", says="are equal")
def no_distance() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        lexical = scaled({name: words.get(name, 0.0) for name in meaning})
        semantic = scaled(meaning)
        return best_first({name: 0.3 * lexical[name] + 0.7 * semantic[name] for name in meaning})

    return fuse


@wrong("01.1", "slip", "The worst comes first.", says="worst first")
def worst_first() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        top = max(words.values(), default=1.0)
        return sorted(meaning, key=lambda name: words.get(name, 0.0) / top + meaning[name])

    return fuse


@wrong("01.1", "misreading", "Only the documents that both searches name.", says="every id")
def only_the_common() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        top = max(words.values(), default=1.0)
        return best_first({name: words[name] / top + meaning[name] for name in words})

    return fuse


# --- 01.2 -----------------------------------------------------------------------------------------

EXAMPLES = [
    "What did I buy from you?",
    "Show my orders.",
    "Which orders have I made?",
    "I forgot the number of my order.",
]


def listing(orders: Orders, customer: str) -> str:
    return ", ".join(orders.order_ids(customer)) or "You have no orders yet."


@wrong("01.2", "no-op", "A tool that does nothing.", says="says nothing")
def silent_tool() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """List the orders of the customer who is logged in."""
            return ""

        return my_orders

    return make_my_orders


@wrong("01.2", "misreading", "The model says whose orders it wants.", says="talk it into")
def customer_as_argument() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(customer_id: str) -> str:
            """List the orders of a customer."""
            return listing(orders, customer_id)

        return my_orders

    return make_my_orders


@wrong("01.2", "misreading", "Everybody's orders.", says="other people's")
def everybodys_orders() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders() -> str:
            """List the orders of the customer who is logged in."""
            return ", ".join(order.id for order in orders.all_orders())

        return my_orders

    return make_my_orders


@wrong("01.2", "slip", "Leaves out the oldest order.", says="are missing")
def from_the_second() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """List the orders of the customer who is logged in."""
            if runtime.context.customer_id is None:
                return "Please log in first."
            own = orders.order_ids(runtime.context.customer_id)
            return ", ".join(own[1:]) or "You have no orders yet."

        return my_orders

    return make_my_orders


@wrong("01.2", "slip", "An error where nobody is logged in.", says="ended the conversation")
def raises_for_guests() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """List the orders of the customer who is logged in."""
            if runtime.context.customer_id is None:
                raise ToolException("Please log in first.")
            return listing(orders, runtime.context.customer_id)

        return my_orders

    return make_my_orders


@wrong("01.2", "misreading", "Written for developers.", says="say there what customers say")
def said_for_developers() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """Query the SQLite table and serialise its rows."""
            if runtime.context.customer_id is None:
                return "Please log in first."
            return listing(orders, runtime.context.customer_id)

        return my_orders

    return make_my_orders


@wrong("01.2", "misreading", "Examples of other tools' requests.", says="promise what other")
def takes_everything() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        extras = {
            "examples": [
                *EXAMPLES,
                "How long do I have to send something back?",
                "What does delivery cost?",
                "How long will it take?",
                "When do I get my money?",
                "Is there a guarantee on shoes?",
                "What do I pay for a late return?",
                "I have a question about a product.",
                "Can I speak to somebody about a complaint?",
            ]
        }

        @tool(extras=extras)
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """Everything a customer may want to know: orders, delivery, returns, products, help."""
            if runtime.context.customer_id is None:
                return "Please log in first."
            return listing(orders, runtime.context.customer_id)

        return my_orders

    return make_my_orders


# --- 01.3 -----------------------------------------------------------------------------------------

Given = Sequence[float]


def cost(threshold: float, answerable: Given, unanswerable: Given, price: float) -> float:
    refused = sum(score < threshold for score in answerable)
    return refused + price * sum(score >= threshold for score in unanswerable)


@wrong("01.3", "no-op", "Never refuses.", says="refuses 0 of 3")
def never() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        return 0.0

    return choose_threshold


@wrong("01.3", "slip", "A score equal to the threshold is answered.", says="equal to the threshold")
def highest_unanswerable() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        return max(unanswerable, default=0.0)

    return choose_threshold


@wrong("01.3", "slip", "Never considers to refuse everything.", says="answers 1 of 2")
def never_refuses_all() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        candidates = [*answerable, *unanswerable]
        return min(candidates, key=lambda t: cost(t, answerable, unanswerable, price))

    return choose_threshold


@wrong("01.3", "misreading", "Refuses whatever could be unanswerable.", says="a cost of")
def above_all_unanswerable() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        return max(unanswerable, default=0.0) + 1e-6

    return choose_threshold


@wrong("01.3", "misreading", "Counts mistakes of both kinds alike.", says="a cost of")
def without_the_price() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        candidates = [*answerable, *unanswerable, float("inf")]
        return min(candidates, key=lambda t: cost(t, answerable, unanswerable, 1.0))

    return choose_threshold


@wrong("01.3", "misreading", "Half way between the two means.", says="a cost of")
def between_the_means() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        groups = [group for group in (answerable, unanswerable) if group]
        return sum(sum(group) / len(group) for group in groups) / len(groups)

    return choose_threshold


# --- 01.4 -----------------------------------------------------------------------------------------


def thread(name: str) -> RunnableConfig:
    return {"configurable": {"thread_id": name}}


@wrong("01.4", "no-op", "One memory for everybody.", says="can ask for what")
def one_memory() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread("support")

    return conversation_config


@wrong("01.4", "misreading", "A new memory each time.", says="has forgotten")
def always_new() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread(str(uuid.uuid4()))

    return conversation_config


@wrong("01.4", "misreading", "One memory for each customer.", says="a new conversation")
def customer_alone() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread(caller.customer_id or f"guest {conversation}")

    return conversation_config


@wrong("01.4", "slip", "The parts run together.", says="('C-1', 'x')")
def joined_by_a_hyphen() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread(f"{caller.customer_id}-{conversation}")

    return conversation_config


@wrong("01.4", "slip", "A guest may name any thread.", says="can choose this one")
def bare_for_guests() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        if caller.customer_id is None:
            return thread(conversation)
        return thread(repr((caller.customer_id, conversation)))

    return conversation_config


@wrong("01.4", "slip", "A guest is the customer 'None'.", says="'None'")
def guest_is_none() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread(repr((str(caller.customer_id), conversation)))

    return conversation_config


# --- 01.5 -----------------------------------------------------------------------------------------


def refusal(request: ToolCallRequest) -> ToolMessage:
    return ToolMessage(
        "Look the order up with lookup_order first.",
        tool_call_id=request.tool_call["id"],
        status="error",
    )


def asked_for(request: ToolCallRequest) -> dict[str, str]:
    """The orders that lookups asked for, by the id of the call."""
    return {
        call["id"]: call["args"]["order_id"]
        for message in request.state["messages"]
        if isinstance(message, AIMessage)
        for call in message.tool_calls
        if call["name"] == "lookup_order"
    }


def looked_up(messages: Sequence[AnyMessage], request: ToolCallRequest) -> set[str]:
    """The orders whose lookup succeeded, by these messages."""
    asked = asked_for(request)
    return {
        asked[message.tool_call_id]
        for message in messages
        if isinstance(message, ToolMessage)
        and message.tool_call_id in asked
        and message.status == "success"
    }


def refunds(request: ToolCallRequest) -> str:
    """The order to be refunded, or nothing."""
    call = request.tool_call
    return call["args"]["order_id"] if call["name"] == "issue_refund" else ""


@wrong("01.5", "no-op", "Lets everything pass.", says="before anybody had looked")
def lets_all_pass() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        return handler(request)

    return look_before_refund


@wrong("01.5", "no-op", "Blocks every refund.", says="this refund is in order")
def blocks_all() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if request.tool_call["name"] == "issue_refund":
            return refusal(request)
        return handler(request)

    return look_before_refund


@wrong("01.5", "misreading", "Any lookup will do.", says="was looked up, and")
def any_lookup() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if refunds(request) and not looked_up(request.state["messages"], request):
            return refusal(request)
        return handler(request)

    return look_before_refund


@wrong("01.5", "slip", "Looks at the calls, not at what came of them.", says="nobody has seen")
def looks_at_calls() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if refunds(request) and refunds(request) not in asked_for(request).values():
            return refusal(request)
        return handler(request)

    return look_before_refund


@wrong("01.5", "slip", "Remembers lookups for all customers.", says="other conversations")
def keeps_a_set() -> object:
    seen: set[str] = set()

    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if refunds(request) and refunds(request) not in seen:
            return refusal(request)
        result = handler(request)
        if request.tool_call["name"] == "lookup_order" and result.status == "success":
            seen.add(request.tool_call["args"]["order_id"])
        return result

    return look_before_refund


@wrong("01.5", "slip", "Only the message right before counts.", says="earlier turn")
def last_message_only() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        seen = looked_up(request.state["messages"][-2:-1], request)
        if refunds(request) and refunds(request) not in seen:
            return refusal(request)
        return handler(request)

    return look_before_refund


@wrong("01.5", "misreading", "Blocks, and says that all went well.", says="all went well")
def blocks_politely() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if refunds(request) and refunds(request) not in looked_up(
            request.state["messages"], request
        ):
            call = request.tool_call
            return ToolMessage("Use lookup_order first.", tool_call_id=call["id"])
        return handler(request)

    return look_before_refund


# --- 01.6 -----------------------------------------------------------------------------------------

Model = Callable[[ModelRequest[Any]], ModelResponse[Any]]


def turn_of(request: ModelRequest[Any]) -> list[ToolMessage]:
    """The tools' messages since the customer spoke, in order."""
    turn: list[ToolMessage] = []
    for message in reversed(request.messages):
        if isinstance(message, HumanMessage):
            break
        if isinstance(message, ToolMessage):
            turn.insert(0, message)
    return turn


def quoting(texts_of: Callable[[ModelRequest[Any]], Sequence[str]]) -> object:
    """An answer made of the texts that `texts_of` picks; right but for these."""

    def quote(request: ModelRequest[Any], handler: Model) -> ModelResponse[Any] | AIMessage:
        response = handler(request)
        texts = [] if response.result[-1].tool_calls else texts_of(request)
        return AIMessage(" ".join(texts)) if texts else response

    return quote


@wrong("01.6", "no-op", "The model's words, unchanged.", says="the model's words")
def model_s_words() -> object:
    def quote(request: ModelRequest[Any], handler: Model) -> ModelResponse[Any]:
        return handler(request)

    return quote


@wrong("01.6", "misreading", "Quotes the whole document.", says="more than the search returned")
def whole_document() -> object:
    def texts(request: ModelRequest[Any]) -> list[str]:
        results = [m for m in turn_of(request) if m.artifact != []]
        return [m.artifact[0].text if isinstance(m.artifact, list) else m.text for m in results]

    return quoting(texts)


@wrong("01.6", "misreading", "Only what a search has said.", says="lookup returned is missing")
def searches_only() -> object:
    def texts(request: ModelRequest[Any]) -> list[str]:
        results = [m for m in turn_of(request) if m.name == "search_documents"]
        return [m.text for m in results if m.artifact]

    return quoting(texts)


@wrong("01.6", "misreading", "Answers without asking the model.", says="before the second call")
def without_the_model() -> object:
    def quote(request: ModelRequest[Any], handler: Model) -> ModelResponse[Any] | AIMessage:
        texts = [m.text for m in turn_of(request) if m.artifact != []]
        return AIMessage(" ".join(texts)) if texts else handler(request)

    return quote


@wrong("01.6", "slip", "Quotes what an earlier question found.", says="this turn has no result")
def earlier_turns_too() -> object:
    def texts(request: ModelRequest[Any]) -> list[str]:
        results = [m for m in request.messages if isinstance(m, ToolMessage)]
        return [m.text for m in results if m.artifact != []]

    return quoting(texts)


@wrong("01.6", "slip", "Quotes that nothing was found.", says="what the search tells the agent")
def nothing_found_too() -> object:
    return quoting(lambda request: [m.text for m in turn_of(request)])


@wrong("01.6", "slip", "Quotes the last tool alone.", says="lookup returned is missing")
def last_tool_only() -> object:
    return quoting(lambda request: [m.text for m in turn_of(request) if m.artifact != []][-1:])


@wrong("01.6", "slip", "The last tool speaks first.", says="keep the order")
def backwards() -> object:
    return quoting(lambda request: [m.text for m in turn_of(request) if m.artifact != []][::-1])


@wrong("01.6", "slip", "Leaves a refusal to the model.", says="a sentence for the customer")
def successes_only() -> object:
    def texts(request: ModelRequest[Any]) -> list[str]:
        results = [m for m in turn_of(request) if m.status == "success"]
        return [m.text for m in results if m.artifact != []]

    return quoting(texts)
