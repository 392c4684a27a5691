# Written by `course build` from notebooks/src/01_build_an_agent.py: edit it there.

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import bm25s
import numpy as np
from langchain.agents import AgentState, create_agent
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain.tools import BaseTool, ToolException, ToolRuntime, tool
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_text_splitters import RecursiveCharacterTextSplitter
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from numpy.typing import NDArray
from pydantic import Field

SENTENCES = RecursiveCharacterTextSplitter(
    chunk_size=1,  # never join two sentences
    chunk_overlap=0,
    separators=[r"(?<=[.!?])\s+(?=[A-Z0-9£])"],
    is_separator_regex=True,
    keep_separator=False,
)

Expected = Mapping[str, Sequence[str]]


def titled(page: Document, expected: Expected) -> list[Document]:
    """The texts by which each sentence of a page is found: itself, and questions it answers.

    `expected` has the questions of a sentence, and may be empty. The page's metadata have its
    `title`; each text's metadata have `sentence`, with the title in front.
    """
    title, found = page.metadata["title"], []
    for sentence in SENTENCES.split_text(page.page_content):
        meta = {**page.metadata, "sentence": f"{title}: {sentence}"}
        for text in [sentence, *expected.get(sentence, ())]:
            found.append(Document(f"{title}: {text}", metadata=meta))
    return found


def tokens(texts: list[str]) -> list[list[str]]:
    """The words of each text that BM25 counts: in small letters, without the most common ones."""
    found: list[list[str]] = bm25s.tokenize(texts, return_ids=False, show_progress=False)
    return found


Scores = NDArray[np.float64]


class Search:
    """Texts in memory, scored by meaning and by words."""

    def __init__(self, texts: list[Document], embeddings: Embeddings) -> None:
        if not texts:
            raise ValueError("There is nothing to search: give it at least one text.")
        self.texts = texts
        self.store = InMemoryVectorStore(embeddings)
        self.place = {name: n for n, name in enumerate(self.store.add_documents(texts))}
        self.words = bm25s.BM25()
        self.words.index(tokens([text.page_content for text in texts]), show_progress=False)

    def scores(self, query: str) -> tuple[Scores, Scores]:
        """The cosine and the BM25 score of every text for a query."""
        meaning, (said,) = np.zeros(len(self.texts)), tokens([query])
        for text, cosine in self.store.similarity_search_with_score(query, k=len(self.texts)):
            meaning[self.place[str(text.id)]] = cosine
        return meaning, self.words.get_scores(said) if said else 0 * meaning


WORDS = 0.015  # the weight of a BM25 score that is added to a cosine


def best(search: Search, query: str) -> tuple[str, float]:
    """The sentence that fits a query best, with its title, and its score."""
    meaning, words = search.scores(query)
    total = meaning + WORDS * words
    place = int(total.argmax())
    return search.texts[place].metadata["sentence"], float(total[place])


SYSTEM = "You answer questions by repeating the text."
EXAMPLES: list[AnyMessage] = [
    HumanMessage(
        "What is the volume of your big flask?\n\n"
        "Drinking bottles: The large bottle holds 1.5 litres."
    ),
    AIMessage("Drinking bottles: The large bottle holds 1.5 litres."),
    HumanMessage(
        "I come on a Friday. When must I be there?\n\n"
        "Workshop hours: The workshop is open on Fridays until 7 pm."
    ),
    AIMessage("Workshop hours: The workshop is open on Fridays until 7 pm."),
]

NOT_FOUND = "Nothing in the shop's documents answers this."
ABOUT_GOODS = [
    *("How long do I have to return a tent?", "How heavy is it?", "Do you sell kayaks?"),
    *("How do I wash a jacket?", "What does delivery cost?"),
]


def search_tool(search: Search, threshold: float) -> BaseTool:
    """The tool that looks up one sentence in the documents."""

    @tool(extras={"examples": ABOUT_GOODS, "verbatim": ["query"], "default": True})
    def search_documents(query: str) -> str:
        """Search the shop's documents: products, delivery, returns, warranty, repairs, care."""
        sentence, score = best(search, query)
        return sentence if score >= threshold else NOT_FOUND

    return search_documents


@dataclass(frozen=True)
class Caller:
    """Who is talking: the customer that the service has logged in, or None."""

    customer_id: str | None = None


def logged_in(runtime: ToolRuntime[Caller]) -> str:
    """The customer's id."""
    if runtime.context.customer_id is None:
        raise ToolException("Please log in first: orders are shown to their customer only.")
    return runtime.context.customer_id


OrderId = Annotated[str, Field(pattern=r"^FH-\d{5}$", description="such as FH-10234")]
Describe = Callable[[str, str], str]  # an order's and a customer's id -> the order in words
ABOUT_ORDERS = [
    *("Where is my order FH-10000?", "What did I pay for FH-10000?", "Is FH-10000 late?"),
    *("When was FH-10000 delivered?", "Which tent is in FH-10000?"),
]


def this_turn(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages of this turn, from the customer's last one to the end."""
    last = max(n for n, message in enumerate(messages) if isinstance(message, HumanMessage))
    return list(messages[last:])


def focused(request: ModelRequest[Caller]) -> ModelRequest[Caller]:
    """The request; if this turn has tool results, with the examples and this turn alone."""
    turn = this_turn(request.messages)
    if not any(isinstance(message, ToolMessage) for message in turn):
        return request
    return request.override(messages=[*EXAMPLES, *turn])


REFUSAL = "Sorry, I do not know: our documents do not answer that."


def said_by_tools(turn: list[AnyMessage]) -> str:
    """What the customer reads instead of the model's words; empty where the model may speak.

    A refusal counts where no call came after it: a model that corrects its call may speak.
    """
    results = [message for message in turn if isinstance(message, ToolMessage)]
    if results and all(result.text == NOT_FOUND for result in results):
        return REFUSAL
    calls = [place for place, message in enumerate(turn) if isinstance(message, AIMessage)]
    last = turn[calls[-1] :] if calls else []
    refused = [one for one in last if isinstance(one, ToolMessage) and one.status == "error"]
    good = [result.text for result in results if result.status != "error"]
    return " ".join([*good, *(one.text for one in refused)]) if refused else ""


def or_tools(turn: list[AnyMessage], response: ModelResponse) -> ModelResponse | AIMessage:
    """The response, or what is said instead of its words; a response that calls a tool stays."""
    reply, instead = response.result[-1], said_by_tools(turn)
    if instead and isinstance(reply, AIMessage) and not reply.tool_calls:
        return reply.model_copy(update={"content": instead})
    return response


Request = ModelRequest[Caller]


class AnswerFromResults(AgentMiddleware[AgentState[Any], Caller]):
    """The model answers from this turn's results; where there is nothing, code answers."""

    def wrap_model_call(
        self, request: Request, handler: Callable[[Request], ModelResponse]
    ) -> ModelResponse | AIMessage:
        """Call the model."""
        return or_tools(this_turn(request.messages), handler(focused(request)))

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[ModelResponse]]
    ) -> ModelResponse | AIMessage:
        """Call the model."""
        return or_tools(this_turn(request.messages), await handler(focused(request)))


Agent = CompiledStateGraph[AgentState[Any], Caller, Any, Any]


def make_agent(
    model: BaseChatModel, tools: list[BaseTool], memory: BaseCheckpointSaver[Any] | None = None
) -> Agent:
    """The agent: call it with `context=Caller(...)`, and with a `thread_id` where it has memory."""
    return create_agent(
        model,
        tools,
        system_prompt=SYSTEM,
        middleware=[AnswerFromResults()],
        context_schema=Caller,
        checkpointer=memory,
    )


NO_NUMBER = "This is no order number. Order numbers look like FH-10234."


def order_tool(describe: Describe) -> BaseTool:
    """The tool that looks up an order of the customer who is logged in.

    `describe` raises LookupError where this customer has no such order.
    """

    @tool(extras={"examples": ABOUT_ORDERS})
    def lookup_order(order_id: OrderId, runtime: ToolRuntime[Caller]) -> str:
        """Look up one order of the customer: status, dates, carrier, items, amounts."""
        try:
            return describe(order_id, logged_in(runtime))
        except LookupError as unknown:
            raise ToolException(str(unknown)) from unknown

    lookup_order.handle_tool_error = True
    lookup_order.handle_validation_error = NO_NUMBER
    return lookup_order


ALLOWED = re.compile(
    r"(?:please )?refund (all|£\d+(?:\.\d\d)?) of (FH-\d{5})(?:,? please)?[.!]?",
    re.IGNORECASE | re.ASCII,
)


def asked_for(text: str) -> tuple[str, Decimal | None] | None:
    """The order and the pounds (None: all) of a message that asks for a refund and nothing else."""
    found = ALLOWED.fullmatch(text.strip())
    if found is None:
        return None
    amount, order_id = found.groups()
    return order_id.upper(), None if amount.lower() == "all" else Decimal(amount[1:])


def first_call(turn: list[AnyMessage], name: str) -> str | None:
    """The id of a turn's first call of a tool."""
    for message in turn:
        for call in message.tool_calls if isinstance(message, AIMessage) else []:
            if call["name"] == name:
                return call["id"]
    return None


Pay = Callable[[str, str, Decimal | None], str]  # order, customer, pounds -> a receipt
ABOUT_REFUNDS = ["Refund FH-10000, please.", "Refund £20 of FH-10000.", "I want my money back."]


def refund_tool(pay: Pay) -> BaseTool:
    """The tool that pays back what the customer's own words ask for, once.

    `pay` raises LookupError for an unknown order, and ValueError where the rules forbid it.
    """

    @tool(extras={"examples": ABOUT_REFUNDS})
    def issue_refund(order_id: OrderId, runtime: ToolRuntime[Caller]) -> str:
        """Pay back an order of the customer, in full or in part."""
        turn = this_turn(runtime.state["messages"])
        asked = asked_for(turn[0].text)
        if asked is None or asked[0] != order_id:
            how = f"Refund £20 of {order_id}. Or: Refund all of {order_id}."
            raise ToolException(f"Nothing has been paid back. To get a refund, write: {how}")
        if runtime.tool_call_id != first_call(turn, "issue_refund"):
            raise ToolException("Each message can move money only once.")
        try:
            return pay(order_id, logged_in(runtime), asked[1])
        except (LookupError, ValueError) as refused:
            raise ToolException(str(refused)) from refused

    issue_refund.handle_tool_error = True
    issue_refund.handle_validation_error = NO_NUMBER
    return issue_refund
