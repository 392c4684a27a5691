# %% [markdown] name="title"
# # 01 Build an agent
#
# After this notebook you can build a support agent with LangChain and LangGraph: it answers from
# documents, calls tools, remembers a conversation and keeps two customers apart.
#
# **75 minutes (the machine works for about 8 of them). Level: Python, a first idea of language
# models. Before it: module 00.**
#
# You build it piece by piece, and measure each piece against the one before on the same questions.

# %% [markdown] name="picture"
# ```mermaid
# flowchart LR
#     documents[(documents)] -- split, embed --> index[(index)]
#     index -- a passage --> prompt
#     question([question]) --> prompt --> model[model]
#     model -- "call a tool" --> tools[tools] -- result --> model
#     tools --- index
#     tools --- orders[(orders)]
#     model -- answer --> customer([customer])
#     memory[(memory)] --- model
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="questions-text"
# ## What is a right answer?
#
# Fernhill has *golden questions*. Each one knows the facts that a right answer states (one of each
# group) and those that it must not state. You build on the part called *dev*, the lab checks on
# *lab*, and *heldout* is for the end, because whatever you tune on flatters you.

# %% name="questions"
from helpers.shop import questions

dev = questions("dev")
sample = dev[:: 16 if fast else 2]
one = next(q for q in sample if q.kind == "conditional")
print(one.question)
print("must state", one.required, "and not", one.forbidden)

# %% [markdown] name="right-text"
# To judge an answer, look for these facts as whole words. For a question without an answer, right
# is to say so.

# %% name="right"
import re


def states(answer, fact):
    """Whether a fact is in the answer, as whole words."""
    return re.search(rf"(?<!\w){re.escape(fact)}(?!\w)", answer, re.IGNORECASE) is not None


def right(question, answer):
    """Whether the answer states what it must, and nothing that it must not."""
    refused = states(answer, "do not know") or states(answer, "don't know")
    if question.kind == "unanswerable":
        return refused
    if refused or any(states(answer, fact) for fact in question.forbidden):
        return False
    return all(any(states(answer, fact) for fact in group) for group in question.required)

# %% [markdown] name="measure-text"
# Every step of this notebook is a function from a question to an answer. `measure` asks the same
# questions each time, and SciPy gives the 95% interval (Wilson's): the rate of a few dozen answers
# is a rough figure. Module 02 replaces this with a stricter score
# ([helpers/evaluate/scores.py](../helpers/evaluate/scores.py)) and a proper comparison.

# %% name="measure"
from scipy.stats import binomtest

from helpers.course import show

verdicts = {}


def measure(step, answer_of):
    """Ask every question of the sample, keep the verdicts, and print how many are right."""
    verdicts[step] = []
    for question in show.progress(sample, label=step):
        verdicts[step].append(right(question, answer_of(question)))
    count = sum(verdicts[step])
    low, high = binomtest(count, len(sample)).proportion_ci(method="wilson")
    print(f"{step}: {count} of {len(sample)} right ({low:.0%} to {high:.0%})")

# %% [markdown] name="bare-text"
# ## What does the bare model know?
#
# It was trained on text from the web, and Fernhill is not there. How many questions do you expect
# it to get right?

# %% name="bare"
from helpers.models import chat_model

os.environ["COURSE_MODEL"] = model
llm = chat_model(max_tokens=60)
print(llm.invoke(one.question).text)

# %% name="bare-measured"
measure("1 model", lambda q: llm.invoke(q.question).text)

# %% [markdown] name="prompt-text"
# ## Does a better prompt help?
#
# The answers read well. That is the danger: fluency is not evidence. A *chain* pipes a prompt
# template into the model; this one asks for honesty. A prompt can ask for behaviour. Can it add
# knowledge?

# %% name="prompt"
from langchain_core.prompts import ChatPromptTemplate

ROLE = "You are the support agent of Fernhill, a shop for outdoor gear. Answer in one sentence."
honest = ChatPromptTemplate(
    [("system", ROLE + " If you are not sure, say that you do not know."), ("user", "{question}")]
)
chain = honest | llm
measure("2 prompt", lambda q: chain.invoke({"question": q.question}).text)

# %% [markdown] name="embed-text"
# ## How do you find a text by its meaning?
#
# An *embedding* turns a text into a vector. Texts with a similar meaning point in a similar
# direction, and the cosine of the angle between them measures it: 1 for the same direction.

# %% name="embed"
from helpers.models import embeddings

texts = [
    "How long do I have to return a tent?",
    "Goods can be sent back within a month.",
    "How long is the tent?",
]
vectors = embeddings().embed_documents(texts)
print(len(vectors), "vectors of", len(vectors[0]), "numbers")

# %% name="cosine"
import math


def cosine(a, b):
    """The cosine of the angle between two vectors: their product over their lengths."""
    product = sum(x * y for x, y in zip(a, b, strict=True))
    return product / (math.hypot(*a) * math.hypot(*b))


for text, vector in zip(texts, vectors, strict=True):
    print(f"{cosine(vectors[0], vector):.2f}  {text}")

# %% [markdown] name="cosine-read"
# Compare the second and third line: the same meaning in other words, and the same words with
# another meaning. Which is nearer? Remember it for the semantic cache of module 10.
#
# ## Which text holds the answer?
#
# A *vector store* does this for many texts. Fernhill's documents become LangChain documents, and
# `InMemoryVectorStore` embeds and searches them.

# %% name="store"
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore

from helpers.shop import documents

pages = []
for page in documents():
    pages.append(Document(page.text, metadata={"title": page.title, "source": page.id}))
library = pages[::4] if fast else pages
whole = InMemoryVectorStore(embeddings())
whole.add_documents(library)
print(len(library), "documents;", whole.similarity_search(one.question, k=1)[0].metadata)

# %% [markdown] name="split-text"
# A document of 160 words is one vector, in which a single fact gets lost. So documents are *split*.
# The usual splitter cuts at about a number of characters; this one can also cut at the end of each
# sentence.

# %% name="split" app="agent.py"
from langchain_text_splitters import RecursiveCharacterTextSplitter

SENTENCES = RecursiveCharacterTextSplitter(
    chunk_size=1,  # never join two sentences
    chunk_overlap=0,
    separators=[r"(?<=[.!?])\s+(?=[A-Z0-9£])"],
    is_separator_regex=True,
    keep_separator=False,
)

# %% name="pieces"
chunks = RecursiveCharacterTextSplitter(chunk_size=300, chunk_overlap=0).split_documents(library)
sentences = SENTENCES.split_documents(library)
print(len(chunks), "chunks, for instance:", chunks[1].page_content)
print(len(sentences), "sentences, for instance:", sentences[1].page_content)

# %% [markdown] name="titled-text"
# A sentence such as "It weighs 2.1 kg" does not say what weighs that. Put the document's title in
# front.
#
# And a question often shares no word with the sentence that answers it, but two questions for the
# same thing are close. So each sentence is also stored under questions that it answers: a
# *multi-vector index*. Fernhill's were written by hand for this course, from the documents alone; a
# team would let a model write them whenever a document changes.

# %% name="titled" app="agent.py"
from collections.abc import Mapping, Sequence

Expected = Mapping[str, Sequence[str]]


def titled(page: Document, expected: Expected) -> list[Document]:
    """The texts by which each sentence of a page is found: itself, and questions it answers.

    The metadata of each hold `sentence` (with the title) and `source`. `expected` has the
    questions of a sentence, and may be empty.
    """
    title, found = page.metadata["title"], []
    for sentence in SENTENCES.split_text(page.page_content):
        meta = {"source": page.metadata["source"], "sentence": f"{title}: {sentence}"}
        for text in [sentence, *expected.get(sentence, ())]:
            found.append(Document(f"{title}: {text}", metadata=meta))
    return found

# %% name="texts"
from helpers.agent.expected import expected_questions

expected = expected_questions()
titles, both = [], []
for page in library:
    titles += titled(page, {})
    both += titled(page, expected.get(page.metadata["source"], {}))
print(len(titles), "sentences, and", len(both) - len(titles), "questions written for this course")
print([text.page_content for text in both[:3]])

# %% [markdown] name="words-text"
# ## Does a search by words help?
#
# BM25 counts the words that two texts share; rare words count more, long texts less. It finds a
# product's name that an embedding blurs, and is blind to other wordings. `bm25s` is one
# implementation.

# %% name="words" app="agent.py"
import bm25s


def tokens(texts: list[str]) -> list[list[str]]:
    """The words of each text that BM25 counts: in small letters, without the most common ones."""
    found: list[list[str]] = bm25s.tokenize(texts, return_ids=False, show_progress=False)
    return found

# %% name="words-used"
words = bm25s.BM25()
words.index(tokens([text.page_content for text in titles]), show_progress=False)
scores = words.get_scores(tokens([one.question])[0])
best = scores.argmax()
print(f"{scores[best]:.1f}  {titles[best].page_content}")

# %% [markdown] name="search-text"
# The two scores add up, with a small weight for BM25, which goes to about 20 where a cosine goes
# to 1. The weight was chosen on dev.

# %% name="search" app="agent.py"
import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

WORDS = 0.015  # of a BM25 score, beside a cosine


class Search:
    """Sentences in memory, found by meaning and by words."""

    def __init__(self, texts: list[Document], embeddings: Embeddings) -> None:
        if not texts:
            raise ValueError("There is nothing to search: give it at least one text.")
        self.texts = texts
        self.store = InMemoryVectorStore(embeddings)
        self.place = {name: n for n, name in enumerate(self.store.add_documents(texts))}
        self.words = bm25s.BM25()
        self.words.index(tokens([text.page_content for text in texts]), show_progress=False)

    def scores(self, query: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The cosine and the BM25 score of every text for a query."""
        meaning = np.zeros(len(self.texts))
        for text, cosine in self.store.similarity_search_with_score(query, k=len(self.texts)):
            meaning[self.place[str(text.id)]] = cosine
        (said,) = tokens([query])
        return meaning, self.words.get_scores(said) if said else np.zeros(len(self.texts))

    def best(self, query: str) -> tuple[str, float]:
        """The sentence that fits a query best, with its title, and its score."""
        meaning, words = self.scores(query)
        total = meaning + WORDS * words
        place = int(total.argmax())
        return str(self.texts[place].metadata["sentence"]), float(total[place])

# %% [markdown] name="ablation-text"
# An *ablation* changes one thing at a time. Here are five ways to store the same documents, and
# three ways to search each: every search in a row sees the same texts. What counts is whether the
# text found first states the fact and nothing that it must not. (The course keeps the vectors of
# its sentences and questions on disk, so those are not computed again.)

# %% name="stores"
from helpers.agent.vectors import CachedEmbeddings

plain = {"whole documents": library, "chunks": chunks, "sentences": sentences}
stores = {}
for name, pieces in plain.items():
    stores[name] = [Document(p.page_content, metadata={"sentence": p.page_content}) for p in pieces]
stores |= {"titled sentences": titles, "with questions": both}
searches = {}
for name, stored in show.progress(stores.items(), label="embedding"):
    searches[name] = Search(stored, CachedEmbeddings(embeddings()))

# %% name="ablation"
asked = [q for q in dev[:: 4 if fast else 1] if q.kind in ("single_fact", "conditional")]
table = []
for name, search in show.progress(searches.items(), label="searching"):
    row = {"texts": name, "stored": len(search.texts), "vectors": 0, "words": 0, "sum": 0}
    for question in asked:
        meaning, words = search.scores(question.question)
        totals = {"vectors": meaning, "words": words, "sum": meaning + WORDS * words}
        for way, total in totals.items():
            found = search.texts[int(total.argmax())].metadata["sentence"]
            row[way] += right(question, found)
    table.append(row)
show.table(table, caption=f"Right text first, of {len(asked)} questions of dev")

# %% [markdown] name="ablation-read"
# Read down the column of the vectors, then across the last row. Which change brought most? A
# difference of two or three questions is noise here.
#
# ## What does the model make of a passage?
#
# Now the model reads what was found, and is told to use nothing else: *retrieval-augmented
# generation* (RAG). First the whole document, then one titled sentence, then the better search.

# %% name="reading"
RULE = ROLE + " Use only the text given."
reading = ChatPromptTemplate([("system", RULE), ("user", "{text}\n\n{question}")]) | llm


def read(text, q, chain=reading):
    """What the chain answers to a question about a text."""
    return chain.invoke({"text": text, "question": q.question}).text


def first_page(q):
    """The whole document that is nearest to a question."""
    return whole.similarity_search(q.question, k=1)[0].page_content


measure("3 whole document", lambda q: read(first_page(q), q))

# %% name="sentence"
def nearest(q):
    """The titled sentence that is nearest by its vector alone."""
    return searches["titled sentences"].store.similarity_search(q.question, k=1)[0]


measure("4 one sentence", lambda q: read(nearest(q).metadata["sentence"], q))

# %% name="better-search"
search = searches["with questions"]
measure("5 better search", lambda q: read(search.best(q.question)[0], q))

# %% [markdown] name="examples-text"
# ## Do examples say it better than instructions?
#
# *Few-shot prompting* shows the model finished turns. These two, about another shop, ask this model
# for little: repeat the text that answers. Such details are found on dev and do not carry over to
# another model; a large one needs neither.

# %% name="examples" app="agent.py"
from langchain.messages import AIMessage, AnyMessage, HumanMessage

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

# %% name="examples-measured"
turns = [("system", SYSTEM), *EXAMPLES, ("user", "{question}\n\n{text}")]
repeating = ChatPromptTemplate(turns) | llm
measure("6 examples", lambda q: read(search.best(q.question)[0], q, repeating))

# %% [markdown] name="refuse-text"
# ## When should it refuse?
#
# Some questions have no answer in the documents, and then even the best sentence is far from the
# question. The *receiver operating characteristic* (ROC) shows for every threshold how many
# unanswerable questions are caught, and how many answerable ones are lost.

# %% name="roc"
from sklearn.metrics import roc_auc_score, roc_curve

about_documents = [q for q in dev if q.kind in ("single_fact", "conditional", "unanswerable")]
scores = [search.best(q.question)[1] for q in about_documents]
answerable = [q.kind != "unanswerable" for q in about_documents]
false_positive, true_positive, _ = roc_curve(answerable, scores)
area = roc_auc_score(answerable, scores)
show.line(
    {"each point a threshold": (1 - true_positive, 1 - false_positive)},
    title=f"The score separates what can be answered with an area of {area:.2f}",
    x="answerable questions refused (share)",
    y="unanswerable questions refused (share)",
)

# %% [markdown] name="threshold-text"
# Where you cut is a choice between two errors, an invented answer and a customer sent away, and the
# shop makes it. Fernhill loses at most 10% of the answerable questions, and takes the threshold
# that catches most of the others.

# %% name="threshold" app="agent.py"
from sklearn.metrics import roc_curve

REFUSAL = "Sorry, I do not know: our documents do not answer that."


def choose_threshold(
    answerable: Sequence[float], unanswerable: Sequence[float], most_lost: float = 0.1
) -> float:
    """The highest score to refuse below that loses at most this share of answerable questions.

    Takes the best search score of each question, of those with an answer and of the others.
    """
    labels = [True] * len(answerable) + [False] * len(unanswerable)
    _, kept, thresholds = roc_curve(labels, [*answerable, *unanswerable], drop_intermediate=False)
    return float(thresholds[kept >= 1 - most_lost].max())

# %% name="threshold-chosen"
with_answer = [s for s, known in zip(scores, answerable, strict=True) if known]
without = [s for s, known in zip(scores, answerable, strict=True) if not known]
THRESHOLD = choose_threshold(with_answer, without)
print(f"refuse below {THRESHOLD:.2f}: {sum(s < THRESHOLD for s in without)} of {len(without)} "
      f"unanswerable caught, {sum(s < THRESHOLD for s in with_answer)} of {len(with_answer)} lost")

# %% name="refusal-measured"
def or_refuse(q):
    """The answer from the best sentence, or the refusal where it is too far away."""
    text, score = search.best(q.question)
    return read(text, q, repeating) if score >= THRESHOLD else REFUSAL


measure("7 refusal", or_refuse)

# %% [markdown] name="tools-text"
# ## What do tools add?
#
# No document says where order FH-10234 is. A *tool* is a function with a description and typed
# arguments: the model asks for a call, and your code makes it. `@tool` reads name, arguments and
# description from the function. (Hosted models never see `extras`; the local one is shown these
# examples of what people say.)

# %% name="search-tool" app="agent.py"
from langchain.tools import BaseTool, tool

NOT_FOUND = "Nothing in the shop's documents answers this."


def search_tool(search: Search, threshold: float) -> BaseTool:
    """The tool that looks up one sentence in the documents."""
    asking = ["How long do I have to return a tent?", "How heavy is it?", "Do you sell kayaks?"]
    asking += ["How do I wash a jacket?", "What does delivery cost?"]

    @tool(extras={"examples": asking, "verbatim": ["query"], "default": True})
    def search_documents(query: str) -> str:
        """Search the shop's documents: products, delivery, returns, warranty, repairs, care."""
        sentence, score = search.best(query)
        return sentence if score >= threshold else NOT_FOUND

    return search_documents

# %% name="search-tool-used"
look_up = search_tool(search, THRESHOLD)
print(look_up.name, look_up.args, look_up.description, sep="\n")
print(look_up.invoke({"query": one.question}))

# %% [markdown] name="order-text"
# What is missing among a tool's arguments matters as much: the customer. Who is logged in comes
# from your service, as the *context* of the run. `ToolRuntime` hands it to the tool, and the model
# neither sees it nor can change it.

# %% name="caller" app="agent.py"
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class Caller:
    """Who is talking: the customer that the service has logged in, or None."""

    customer_id: str | None = None


class OrderBook(Protocol):
    """What the agent needs from a shop's orders; each returns a sentence for the customer."""

    def describe(self, order_id: str, customer_id: str) -> str:
        """This customer's order. Raises LookupError where the customer has no such order."""

    def refund(self, order_id: str, customer_id: str, pounds: Decimal | None) -> str:
        """Pay back pounds (None: everything). Raises LookupError, or ValueError by the rules."""

    def hand_over(self, customer_id: str | None, reason: str) -> str:
        """Open a ticket for a person."""

# %% name="order-tool" app="agent.py"
from typing import Annotated

from langchain.tools import ToolException, ToolRuntime
from pydantic import Field

OrderId = Annotated[str, Field(pattern=r"^FH-\d{5}$", description="such as FH-10234")]


def order_tool(orders: OrderBook) -> BaseTool:
    """The tool that looks up an order of whoever is logged in."""
    asking = ["Where is my order FH-10000?", "What did I pay for FH-10000?", "Is FH-10000 late?"]
    asking += ["When was FH-10000 delivered?", "Which tent is in FH-10000?"]

    @tool(extras={"examples": asking})
    def lookup_order(order_id: OrderId, runtime: ToolRuntime[Caller]) -> str:
        """Look up one order of the customer: status, dates, carrier, items, amounts."""
        return orders.describe(order_id, logged_in(runtime))

    return lookup_order


def logged_in(runtime: ToolRuntime[Caller]) -> str:
    """The customer's id."""
    if runtime.context.customer_id is None:
        raise ToolException("Please log in first: orders are shown to their customer only.")
    return runtime.context.customer_id

# %% name="person-tool" app="agent.py"
def person_tool(orders: OrderBook) -> BaseTool:
    """The tool that hands over to a person."""
    asking = ["I want to speak to a person.", "Let me talk to your manager.", "Can somebody ring me?"]

    @tool(extras={"examples": asking, "verbatim": ["reason"]})
    def hand_over(reason: str, runtime: ToolRuntime[Caller]) -> str:
        """Hand the conversation over to a person who works for the shop."""
        return orders.hand_over(runtime.context.customer_id, reason)

    return hand_over

# %% [markdown] name="book-text"
# Fernhill's order book is a small SQLite database. This adapter puts it into words.

# %% name="book"
from helpers.shop import RefundRefused, open_orders


class Fernhill:
    """Fernhill's order book, as the agent's tools need it."""

    def __init__(self):
        self.orders = open_orders()  # a copy in memory

    def describe(self, order_id, customer_id):
        order = self.orders.get(order_id, customer_id)
        goods = ", ".join(f"{item.quantity} {item.title}" for item in order.items)
        due = order.expected_on or "no day"
        way = f"Carrier: {order.carrier}. Expected: {due}. Total: £{order.total}."
        return f"Order {order.id} is {order.status}. {way} Items: {goods}."

    def refund(self, order_id, customer_id, pounds):
        try:
            paid = self.orders.refund(order_id, customer_id, pounds)
        except RefundRefused as refused:
            raise ValueError(str(refused)) from refused
        return f"Refund of {order_id}: £{paid.amount} has been refunded."

    def hand_over(self, customer_id, reason):
        ticket = self.orders.open_ticket(customer_id, reason)
        return f"A colleague will take over. The ticket is {ticket.id}."

# %% [markdown] name="choice-text"
# `bind_tools` shows the tools to a model, which then may answer with a call. To be plain about who
# chooses here: this model is too small for it. The course's chat model fits a classifier to the
# descriptions and examples of the tools, and takes order numbers from your words; the model writes
# the answer ([helpers/models/routing.py](../helpers/models/routing.py)). A hosted model does
# all of it itself, and every line of this notebook stays the same.

# %% name="choice"
tools = [look_up, order_tool(Fernhill()), person_tool(Fernhill())]
chooser = llm.bind_tools(tools)
for text in ["Where is FH-10234?", "Is the Alta 2 waterproof?", "Let me talk to a person", "Hi!"]:
    calls = chooser.invoke(text).tool_calls
    print(f"{text:26}", [(call["name"], call["args"]) for call in calls] or "no tool")

# %% [markdown] name="loop-text"
# ## What is an agent?
#
# A loop: the model answers or asks for tools, the tools run, the model reads the results. In
# LangGraph it is a graph of two nodes. `ToolNode` makes the calls; one *conditional edge* decides
# whether to go round again.

# %% name="results-prompt"
if model == "local":  # its chat template has no place for tool results: this is where they go
    llm = llm.model_copy(update={"results_prompt": "{question}\n\n{results}"})

# %% name="graph"
from langchain.messages import SystemMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

thinking = llm.bind_tools(tools)


def call_model(state: MessagesState):
    """Let the model answer, or ask for tools."""
    return {"messages": [thinking.invoke([SystemMessage(SYSTEM), *state["messages"]])]}


def go_on(state: MessagesState):
    """To the tools where the model asks for them, else to the end."""
    return "tools" if state["messages"][-1].tool_calls else END


graph = StateGraph(MessagesState, context_schema=Caller)
graph.add_node("model", call_model)
graph.add_node("tools", ToolNode(tools))
graph.add_edge(START, "model")
graph.add_conditional_edges("model", go_on, ["tools", END])
graph.add_edge("tools", "model")
loop = graph.compile()

# %% name="drawn"
from IPython.display import Markdown

drawing = loop.get_graph().draw_mermaid(with_styles=False)
display(Markdown(f"```mermaid\n{drawing}\n```"))  # noqa: F821 - a name that notebooks have

# %% name="loop-run"
mine = Fernhill().orders.order_ids("C-0042")[0]
state = loop.invoke({"messages": [("user", f"Where is {mine}?")]}, context=Caller("C-0042"))
for message in state["messages"]:
    message.pretty_print()

# %% [markdown] name="loop-measured-text"
# Count the calls of the model: one to ask for the tool, one to answer. Before you measure it: the
# loop has tools, but has lost the examples and the refusal of the step before. More or fewer right
# answers?

# %% name="loop-measured"
def reply(agent, q, **config):
    """What an agent says to a question of its customer."""
    state = agent.invoke({"messages": [("user", q.question)]}, config, context=Caller(q.customer))
    return state["messages"][-1].text


measure("8 loop by hand", lambda q: reply(loop, q))

# %% [markdown] name="create-text"
# ## Is there a shorter way to write this?
#
# `create_agent` builds the same graph in one call. `context_schema` says who may be talking, and a
# *checkpointer* keeps each conversation, so that it can go on.

# %% name="create"
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver

agent = create_agent(
    llm,
    tools,
    system_prompt=SYSTEM,
    context_schema=Caller,
    checkpointer=InMemorySaver(),
)

# %% name="create-measured"
def new_thread(agent):
    """A function that asks this agent each question in a conversation of its own."""
    return lambda q: reply(agent, q, configurable={"thread_id": q.id})


measure("9 create_agent", new_thread(agent))
print("the same verdicts as by hand:", verdicts["9 create_agent"] == verdicts["8 loop by hand"])

# %% [markdown] name="stream-text"
# ## What does a reader see while it works?
#
# `stream` yields what happens: *updates* are the nodes that have finished, *messages* the tokens as
# the model writes them.

# %% name="stream"
def config(thread):
    """The config of one conversation."""
    return {"configurable": {"thread_id": thread}}


asking = {"messages": [("user", "How long is the guarantee on boots?")]}
for mode, part in agent.stream(
    asking, config("stream"), context=Caller(), stream_mode=["updates", "messages"]
):
    if mode == "updates":
        print("\nfinished:", *part)
    elif part[0].text and part[1]["langgraph_node"] == "model":
        print(part[0].text, end="|")

# %% [markdown] name="memory-text"
# ## What does it remember?
#
# The checkpointer stores messages under a `thread_id`. Ask two questions in one thread. What does
# the model read when it answers the second one?

# %% name="second"
def say(agent, thread, text, customer=None):
    """Print what the agent answers in a thread, to a customer."""
    state = agent.invoke({"messages": [("user", text)]}, config(thread), context=Caller(customer))
    print(f"{text}\n    {state['messages'][-1].text}")


guarantee, weight = "How long is the guarantee on boots?", "What does the Skerry 2 weigh?"
say(agent, "morning", guarantee)
say(agent, "morning", weight)

# %% [markdown] name="hook-text"
# With the first answer in view this small model repeats it. A larger one does so less often, and
# pays for every old message at every call. *Middleware* hooks into the loop: `wrap_model_call`
# stands around each call of the model, sees the request and may change it. Once a tool has
# answered, let the model read this turn alone, after the examples.

# %% name="hook" app="agent.py"
from langchain.agents.middleware import ModelRequest, wrap_model_call
from langchain.messages import ToolMessage


def this_turn(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages from the last one of the person on."""
    last = max(n for n, message in enumerate(messages) if isinstance(message, HumanMessage))
    return list(messages[last:])


def focused(request: ModelRequest[Caller]) -> ModelRequest[Caller]:
    """The same request; where this turn has tool results, with examples and this turn alone."""
    turn = this_turn(request.messages)
    if not any(isinstance(message, ToolMessage) for message in turn):
        return request
    return request.override(messages=[*EXAMPLES, *turn])

# %% name="hook-used"
@wrap_model_call
def answer_from_results(request, handler):
    """Let the model answer from this turn's results."""
    return handler(focused(request))


parts = {"context_schema": Caller, "system_prompt": SYSTEM, "checkpointer": InMemorySaver()}
agent = create_agent(llm, tools, middleware=[answer_from_results], **parts)
say(agent, "noon", guarantee)
say(agent, "noon", weight)

# %% name="hook-measured"
measure("10 with the hook", new_thread(agent))

# %% [markdown] name="refusing-text"
# The refusal is still missing: told that nothing was found, a small model answers all the same. So
# code says it. The middleware below does both, in a class, because an application that runs
# asynchronously needs the second method. This `make_agent` is the one to take home.

# %% name="make-agent" app="agent.py"
from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents import AgentState, create_agent
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse

Request = ModelRequest[Caller]


class AnswerFromResults(AgentMiddleware[AgentState[Any], Caller]):
    """The model answers from this turn's results, and code refuses where nothing was found."""

    def wrap_model_call(
        self, request: Request, handler: Callable[[Request], ModelResponse]
    ) -> ModelResponse | AIMessage:
        """Call the model."""
        return or_refusal(request, handler(focused(request)))

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[ModelResponse]]
    ) -> ModelResponse | AIMessage:
        """Call the model."""
        return or_refusal(request, await handler(focused(request)))


def or_refusal(request: Request, response: ModelResponse) -> ModelResponse | AIMessage:
    """The response; the tools' own words where one refused, the refusal where nothing was found."""
    reply = response.result[-1]
    results = [m for m in this_turn(request.messages) if isinstance(m, ToolMessage)]
    if not results or not isinstance(reply, AIMessage) or reply.tool_calls:
        return response
    if all(m.text == NOT_FOUND for m in results):
        return reply.model_copy(update={"content": REFUSAL})
    if any(m.status == "error" for m in results):
        return reply.model_copy(update={"content": " ".join(m.text for m in results)})
    return response

# %% name="make-agent-2" app="agent.py"
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

Agent = CompiledStateGraph[AgentState[Any], Caller, Any, Any]


def make_agent(
    model: BaseChatModel,
    tools: Sequence[BaseTool],
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Agent:
    """The agent: call it with `context=Caller(...)`, and with a `thread_id` where it remembers."""
    return create_agent(
        model,
        tools,
        system_prompt=SYSTEM,
        middleware=[AnswerFromResults()],
        context_schema=Caller,
        checkpointer=checkpointer,
    )

# %% name="refusal-in-agent"
agent = make_agent(llm, tools, InMemorySaver())
measure("11 with the refusal", new_thread(agent))

# %% [markdown] name="apart-text"
# ## Are two customers kept apart?
#
# Two things do it. The thread keeps their *conversations* apart, the context keeps their *orders*
# apart. The first customer asks twice in one thread, the second asks the same in another. What do
# you expect for each line?

# %% name="apart"
say(agent, "C-0042/chat", f"Where is my order {mine}?", "C-0042")
say(agent, "C-0042/chat", "And what did I pay for it?", "C-0042")
try:
    say(agent, "C-0007/chat", f"Where is my order {mine}?", "C-0007")
except LookupError as error:
    print(type(error).__name__, error)

# %% [markdown] name="errors-text"
# ## What happens when a tool fails?
#
# The order stays hidden, but the exception ends the run, and the customer reads nothing. A tool
# that expects such a case raises `ToolException` with a sentence; with `handle_tool_error` it
# comes back as a message with the status *error*, and the loop goes on.

# %% name="errors" app="agent.py"
def order_tool(orders: OrderBook) -> BaseTool:
    """The tool that looks up an order of whoever is logged in."""
    asking = ["Where is my order FH-10000?", "What did I pay for FH-10000?", "Is FH-10000 late?"]
    asking += ["When was FH-10000 delivered?", "Which tent is in FH-10000?"]

    @tool(extras={"examples": asking})
    def lookup_order(order_id: OrderId, runtime: ToolRuntime[Caller]) -> str:
        """Look up one order of the customer: status, dates, carrier, items, amounts."""
        try:
            return orders.describe(order_id, logged_in(runtime))
        except LookupError as unknown:
            raise ToolException(str(unknown)) from unknown

    lookup_order.handle_tool_error = True
    return lookup_order

# %% name="errors-used"
tools[1] = order_tool(Fernhill())
agent = make_agent(llm, tools, InMemorySaver())
asking = {"messages": [("user", f"Where is my order {mine}?")]}
state = agent.invoke(asking, config("C-0007/later"), context=Caller("C-0007"))
for message in state["messages"][-2:]:
    print(message.type, getattr(message, "status", ""), message.text)

# %% [markdown] name="money-text"
# ## Which words may move money?
#
# A refund cannot be called back. Here is the tool that most tutorials would write, and a customer
# who does not want a refund.

# %% name="naive-refund"
shop = Fernhill()
refunding = ["Refund FH-10000, please.", "Refund £20 of FH-10000.", "I want my money back."]


@tool(extras={"examples": refunding})
def issue_refund(order_id: OrderId, runtime: ToolRuntime[Caller]) -> str:
    """Pay back an order of the customer."""
    return shop.refund(order_id, logged_in(runtime), None)


naive = make_agent(llm, [*tools, issue_refund], InMemorySaver())
say(naive, "money", "Do not refund FH-10743! I only want to know how a refund works.", "C-0055")

# %% [markdown] name="strict-text"
# The model asked for the call, and the tool trusted it. The strict rule: only a message that says
# nothing else than *Refund £20 of FH-10743* or *Refund all of FH-10743* moves money, order and sum
# come from that message and never from the model, and it pays once. Everything else gets a sentence
# that says what to write.

# %% name="strict" app="agent.py"
REFUND = re.compile(
    r"(?:please )?refund (all|£\d+(?:\.\d\d)?) of (FH-\d{5})(?:,? please)?[.!]?",
    re.IGNORECASE | re.ASCII,
)


def asked_for(text: str) -> tuple[str, Decimal | None] | None:
    """The order and the pounds (None: all) of a message that asks for a refund and nothing else."""
    found = REFUND.fullmatch(text.strip())
    if found is None:
        return None
    pounds = None if found[1].lower() == "all" else Decimal(found[1].removeprefix("£"))
    return found[2].upper(), pounds


def first_call(turn: Sequence[AnyMessage], name: str) -> str | None:
    """The id of a turn's first call of a tool."""
    for message in turn:
        for call in message.tool_calls if isinstance(message, AIMessage) else []:
            if call["name"] == name:
                return call["id"]
    return None

# %% name="refund-tool" app="agent.py"
def refund_tool(orders: OrderBook) -> BaseTool:
    """The tool that pays back what the customer's own words ask for, once."""
    asking = ["Refund FH-10000, please.", "Refund £20 of FH-10000.", "I want my money back."]

    @tool(extras={"examples": asking})
    def issue_refund(order_id: OrderId, runtime: ToolRuntime[Caller]) -> str:
        """Pay back an order of the customer, in full or in part."""
        turn = this_turn(runtime.state["messages"])
        asked = asked_for(turn[0].text)
        if asked is None or asked[0] != order_id:
            how = f"Refund £20 of {order_id}. Or: Refund all of {order_id}."
            raise ToolException(f"Nothing has been paid back. To get a refund, write: {how}")
        if runtime.tool_call_id != first_call(turn, "issue_refund"):
            raise ToolException("Your message was carried out before, and is carried out once.")
        try:
            return orders.refund(order_id, logged_in(runtime), asked[1])
        except (LookupError, ValueError) as refused:
            raise ToolException(str(refused)) from refused

    issue_refund.handle_tool_error = True
    return issue_refund

# %% name="strict-used"
tools = [look_up, order_tool(shop), person_tool(shop), refund_tool(shop)]
strict = make_agent(llm, tools, InMemorySaver())
for text in [
    "Do not refund FH-10788! I only want to know how a refund works.",
    "Please refund FH-10788, one stove was too many.",
    "Refund £39.00 of FH-10788.",
]:
    say(strict, text, text, "C-0050")
print([(refund.order_id, str(refund.amount)) for refund in shop.orders.refunds()[-1:]])

# %% name="strict-measured"
measure("12 with refunds", new_thread(strict))

# %% [markdown] name="course-text"
# ## What does the course's agent add?
#
# `build_agent` ([helpers/agent/build.py](../helpers/agent/build.py)) is this agent with three
# middlewares and a reader of refunds that understands more than two sentences
# ([refund_words.py](../helpers/agent/refund_words.py)). All are in
# [middleware.py](../helpers/agent/middleware.py): `AnswerEachResult` lets the model answer from one
# result at a time, `RefuseUnanswered` is your refusal, `ShowExamples` your examples. Here it is put
# together by hand, and each one taken away once.

# %% name="course"
import helpers.agent as fernhill
from helpers.agent.middleware import AnswerEachResult, RefuseUnanswered, ShowExamples

style = fernhill.LOCAL if model == "local" else fernhill.HOSTED
own = [AnswerEachResult(), RefuseUnanswered(), ShowExamples(style)]
index = fernhill.fernhill_index(sentences=style.sentences)


def put_together(middleware):
    """The course's agent with these middlewares, on an order book of its own."""
    tools = fernhill.make_tools(index, open_orders(), threshold=fernhill.THRESHOLD)
    return create_agent(
        llm,
        tools,
        system_prompt=style.system,
        middleware=middleware,
        context_schema=Caller,
        checkpointer=InMemorySaver(),
    )


measure("13 build_agent", new_thread(put_together(own)))

# %% name="without-each"
for gone in own:
    rest = [part for part in own if part is not gone]
    measure(f"without {type(gone).__name__}", new_thread(put_together(rest)))

# %% [markdown] name="worth-text"
# ## What was each step worth?
#
# All steps on the same questions. Intervals that overlap do not say that two steps are equal, only
# that this many questions cannot tell them apart. The table below counts by kind: which step helped
# which kind, and which kind is still weak?

# %% name="steps"
rates = {step: (sum(each), len(each)) for step, each in verdicts.items()}
low, high = rates["1 model"][0], rates["13 build_agent"][0]
title = f"From {low} of {len(sample)} right with the bare model to {high} with the agent"
show.intervals(rates, title=title, x="right answers")

# %% name="kinds"
import pandas as pd

kinds = [q.kind for q in sample]
counts = {step: pd.Series(each).groupby(kinds).sum() for step, each in verdicts.items()}
counts["questions asked"] = pd.Series(kinds).value_counts()
by_kind = pd.DataFrame(counts).T.reset_index(names="step")
show.table(by_kind.to_dict("records"), caption="Right answers by kind")

# %% [markdown] name="structured-text"
# ## How do you get data instead of words?
#
# A program that routes complaints needs fields, not prose. `with_structured_output` makes the model
# fill a schema; here the engine cannot write anything else. Which field would you trust?

# %% name="structured"
from typing import Literal

from pydantic import BaseModel


class Complaint(BaseModel):
    """What a customer complains about."""

    product: str = Field(max_length=30, description="the product's name")
    problem: str = Field(max_length=60, description="what is wrong with it")
    wants: Literal["refund", "repair", "replacement"]


reader = chat_model(max_tokens=120).with_structured_output(Complaint)
for text in [
    "My Alta 2 tent leaks at the seam. I want my money back.",
    "The zip of my Squall jacket broke. Can you fix it?",
]:
    print(reader.invoke(text))

# %% [markdown] name="structured-read"
# The schema promises the shape: three fields, one of three words. It promises nothing about what is
# in them. Measure that like any other answer before a program acts on it.

# %% [markdown] name="measured-text"
# ## What you measured
#
# The figures to take with you. In module 02 you decide whether an agent with such figures may be
# shipped.

# %% name="measured"
figures = {
    "right text first, whole documents": (table[0]["vectors"], len(asked)),
    "right text first, this index": (table[-1]["sum"], len(asked)),
    "right answers, bare model": rates["1 model"],
    "right answers, your agent": rates["12 with refunds"],
    "right answers, build_agent": rates["13 build_agent"],
}
rows = []
for name, (count, of) in figures.items():
    low, high = binomtest(count, of).proportion_ci(method="wilson")
    rows.append({"figure": name, "counts": f"{count} of {of}", "95%": f"{low:.0%} to {high:.0%}"})
show.table(rows, caption=f"Questions of dev, model {model}")

# %% [markdown] name="production"
# **In production** a hosted model does three jobs that the local one cannot: it chooses tools,
# fills in their arguments and reads several passages at once. Set `COURSE_MODEL` and run this
# notebook again to compare. A checkpointer in memory forgets when the process ends: use
# `langgraph-checkpoint-postgres` or Redis, and a vector store that is a service.
#
# **Where it breaks.** A nearest sentence does not read conditions ("if I am not a member?"). A
# threshold on a score cannot tell a question that is off topic from one that is on topic and
# unanswered, and another embedding model needs another threshold. Nothing here stops a hostile
# document: that is module 03.

# %% [markdown] name="keep"
# ## Keep this
#
# ```python
# @dataclass(frozen=True)
# class Caller:
#     customer_id: str | None = None
#
# @tool
# def lookup_order(order_id: str, runtime: ToolRuntime[Caller]) -> str:
#     """Look up one order of the customer."""
#     return orders.describe(order_id, runtime.context.customer_id)
#
# agent = create_agent(model, [lookup_order], context_schema=Caller, checkpointer=InMemorySaver())
# config = {"configurable": {"thread_id": "chat-1"}}
# agent.invoke({"messages": [("user", text)]}, config, context=Caller("C-0042"))
# ```
#
# **The figure:** right answers of the bare model and of the agent, on the same questions (the title
# of the plot above). **The pitfall:** an argument that the model fills in can be talked into
# anything, so who is logged in and what is paid never come from the model. **In a review meeting:**
# the sentence that the next cell prints.

# %% name="sentence-to-say"
count, of = rates["12 with refunds"]
print(f"On {of} questions with known answers the agent gets {count} right and the bare model "
      f"{rates['1 model'][0]}; refunds follow the customer's words, not the model's.")

# %% [markdown] name="without"
# ## Without the course
#
# In an empty folder: `pip install langchain langchain-openai langgraph langchain-text-splitters
# bm25s scikit-learn`, and the key of your provider in `OPENAI_API_KEY`. Make the model with
# `init_chat_model("openai:gpt-4.1-mini")` and the embeddings with
# `init_embeddings("openai:text-embedding-3-small")`, both from LangChain. Leave out `extras`, and
# the examples too if your model answers better without: measure it. The local model of this course
# calls tools only through the course's classifier; take any model that calls tools itself.
#
# `course new ../my-agent` writes the functions of this notebook as a project with tests, sample
# documents and orders, and a chat for the terminal.

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Questions on what you have just built.

# %% name="quiz"
from helpers.course import quiz

quiz("01")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/01_build_an_agent.ipynb](../labs/01_build_an_agent.ipynb), six exercises.
# - The next module: [02 Evaluate before shipping](02_evaluate_before_shipping.ipynb).
# - LangChain: [agents](https://docs.langchain.com/oss/python/langchain/agents),
#   [tools](https://docs.langchain.com/oss/python/langchain/tools),
#   [middleware](https://docs.langchain.com/oss/python/langchain/middleware). LangGraph:
#   [persistence](https://docs.langchain.com/oss/python/langgraph/persistence).
# - Retrieval-augmented generation: Lewis et al., 2020,
#   [arXiv:2005.11401](https://arxiv.org/abs/2005.11401). Questions in the index: Nogueira et al.,
#   2019, [arXiv:1904.08375](https://arxiv.org/abs/1904.08375). BM25: Robertson and Zaragoza, 2009,
#   [doi:10.1561/1500000019](https://doi.org/10.1561/1500000019).
# - Sentence embeddings: Reimers and Gurevych, 2019,
#   [arXiv:1908.10084](https://arxiv.org/abs/1908.10084). The interval: E. B. Wilson, 1927, *J. Am.
#   Stat. Assoc.* 22, 209-212.
