# %% [markdown] name="title"
# # 01 Build an agent
#
# After this notebook you can build a support agent with LangChain and LangGraph: it answers from
# documents, calls tools, remembers a conversation and keeps two customers apart.
#
# **90 to 120 minutes in two sittings, with a break before the tools (the machine works for about
# 15). Level: Python, a first idea of language models. Before it: module 00.**
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
# Fernhill has *golden questions*. Each one lists the facts that a right answer must state (one of
# each group) and those that it must not state. You build on the part called *dev*. The lab checks
# on *lab*. Keep *heldout* for the end, because scores on questions that you tuned on look too good.
#
# They come in six kinds: *single_fact* and *conditional* (the answer depends on a condition) are in
# the documents, *unanswerable* ones are not, *order* and *action* ask about an order or for
# something to be done, and *two_step* needs two tools.

# %% name="questions"
from helpers.shop import questions

dev = questions("dev")
sample = dev[:: 27 if fast else 2]
one = next(q for q in sample if q.kind == "conditional")
print(one.question)
print("must state", one.required, "and not", one.forbidden)

# %% [markdown] name="right-text"
# To judge an answer, look for these facts as whole words. If the documents do not answer a
# question, the right answer says so.

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
    for fact in question.forbidden:
        if states(answer, fact):
            return False
    for group in question.required:
        if not any(states(answer, fact) for fact in group):
            return False
    return not refused

# %% [markdown] name="right-notes" only="instructor"
# Ask what this function makes of the answer "I do not know, but perhaps 35 km/h"; wait ten seconds.
# It is wrong, although the fact is there: where the documents have an answer, a refusal never
# counts. Then ask for a right answer that it would not accept. The mistake here is to take the
# score for the truth: it looks for words from a list. When you are late, skip the code: from here
# on, only the share of right answers matters.

# %% [markdown] name="measure-text"
# Every step of this notebook is a function that takes a question and returns an answer. `measure`
# asks the same questions each time. A rate from a few dozen answers is a rough figure, so SciPy
# adds its 95% interval (Wilson's). Module 02 replaces this with a stricter score
# ([helpers/evaluate/scores.py](../helpers/evaluate/scores.py)) and a proper comparison.

# %% name="measure"
from scipy.stats import binomtest

from helpers.course import show

verdicts = {}


def measure(step, answer_of):
    """Ask every question of the sample, keep the verdicts, and print how many are right."""
    verdicts[step] = []
    for question in show.progress(sample, label=f"{step}, questions asked"):
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


def bare(q):
    """What the model alone says."""
    return llm.invoke(q.question).text


measure("1 model", bare)

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


def asked_honestly(q):
    """What the chain says."""
    return chain.invoke({"question": q.question}).text


measure("2 prompt", asked_honestly)

# %% [markdown] name="prompt-notes" only="instructor"
# Before the cell runs, ask for a number: how many of the 40 questions will the better prompt get
# right? Wait for three numbers. In the stored output, the number falls from 2 to 0. So the model
# does not even say that it does not know: for the 8 questions without an answer, that would be
# right. The mistake here is to judge an answer by how well it reads. Read the answer that the cell
# `bare` has printed aloud, then show the fact that it had to state. Skip the interval: module 02
# explains it.

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

# %% [markdown] name="cosine-text"
# Here is the cosine by hand. Before you run it: which of the other two texts is nearer to the
# first?

# %% name="cosine"
import math


def cosine(a, b):
    """The cosine of the angle between two vectors: their product over their lengths."""
    product = 0.0
    for x, y in zip(a, b, strict=True):
        product += x * y
    return product / (math.hypot(*a) * math.hypot(*b))


for text, vector in zip(texts, vectors, strict=True):
    print(round(cosine(vectors[0], vector), 2), text)

# %% [markdown] name="cosine-notes" only="instructor"
# Let everyone write down "second" or "third" before they run the cell: one minute. Do not explain
# the result yet. Ask what a cache that relies on this number would answer, and come back to it in
# module 10. Skip the loop in `cosine` when the room knows dot products.

# %% [markdown] name="cosine-read"
# The second text has the same meaning in other words. The third has the same words with another
# meaning. Remember which one is nearer when you come to the semantic cache of module 10.
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
library = pages[::8] if fast else pages
whole = InMemoryVectorStore(embeddings())
whole.add_documents(library)
print(len(library), "documents;", whole.similarity_search(one.question, k=1)[0].metadata)

# %% [markdown] name="split-text"
# A document of 160 words becomes one vector, and a single fact gets lost in it. So documents are
# *split*. The usual splitter makes chunks of a limited number of characters. It can also cut at the
# end of each sentence.

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
by_size = RecursiveCharacterTextSplitter(chunk_size=300, chunk_overlap=0)
chunks = by_size.split_documents(library)
sentences = SENTENCES.split_documents(library)
print(len(chunks), "chunks, for instance:", chunks[1].page_content)
print(len(sentences), "sentences, for instance:", sentences[1].page_content)

# %% [markdown] name="titled-text"
# A sentence such as "It weighs 2.1 kg" does not say what "it" is. Put the document's title in
# front.
#
# A question often shares no word with the sentence that answers it, but two questions about the
# same thing are close. So each sentence is also stored under questions that it answers. This is a
# *multi-vector index*. Fernhill's questions were written by hand for this course, from the
# documents alone. A team would let a model write them whenever a document changes.

# %% name="titled" app="agent.py"
from collections.abc import Mapping, Sequence

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

# %% name="texts"
from helpers.agent.expected import expected_questions

expected = expected_questions()
titles, both = [], []
for page in library:
    titles += titled(page, {})
    both += titled(page, expected.get(page.metadata["source"], {}))
print(len(titles), "sentences, and", len(both) - len(titles), "questions written for this course")
for text in both[:3]:
    print("-", text.page_content)

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

# %% [markdown] name="words-used-text"
# The best text for the question above, by words alone:

# %% name="words-used"
words = bm25s.BM25()
stored = tokens([text.page_content for text in titles])
words.index(stored, show_progress=False)
(said,) = tokens([one.question])
scores = words.get_scores(said)
print(scores.max())
print(titles[scores.argmax()].page_content)

# %% [markdown] name="search-text"
# `best` adds the two scores. BM25 gets a small weight, because its scores go up to about 20 and a
# cosine only to 1. The weight was chosen on dev.

# %% name="search" app="agent.py"
import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

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

# %% name="best" app="agent.py"
WORDS = 0.015  # the weight of a BM25 score that is added to a cosine


def best(search: Search, query: str) -> tuple[str, float]:
    """The sentence that fits a query best, with its title, and its score."""
    meaning, words = search.scores(query)
    total = meaning + WORDS * words
    place = int(total.argmax())
    return search.texts[place].metadata["sentence"], float(total[place])

# %% [markdown] name="ablation-text"
# An *ablation* changes one thing at a time. Here are five ways to store the same documents, and
# three ways to search each. The three searches in one row of the table see the same texts. A search
# is right if the text that it finds first states the fact, and nothing that it must not state. (The
# course keeps the vectors of its sentences and questions on disk, so those are not computed again.)

# %% name="stores"
from helpers.agent.vectors import CachedEmbeddings

stores = {
    "whole documents": library,
    "chunks": chunks,
    "sentences": sentences,
    "titled sentences": titles,
    "with questions": both,
}
searches = {}
for name, texts in show.progress(stores.items(), label="embedding"):
    searches[name] = Search(texts, CachedEmbeddings(embeddings()))

# %% name="ablation"
asked = []
for question in dev[:: 9 if fast else 1]:
    if question.kind in ("single_fact", "conditional"):
        asked.append(question)
table = []
for name, search in show.progress(searches.items(), label="searching"):
    row = {"texts": name, "stored": len(search.texts), "vectors": 0, "words": 0, "sum": 0}
    row["right document"] = 0
    for question in asked:
        meaning, words = search.scores(question.question)
        totals = {"vectors": meaning, "words": words, "sum": meaning + WORDS * words}
        for way, total in totals.items():
            found = search.texts[int(total.argmax())]
            sentence = found.metadata.get("sentence", found.page_content)
            row[way] += right(question, sentence)
        row["right document"] += found.metadata["source"] == question.document
    table.append(row)
written = len(both) - len(titles)
caption = f"Right text first, of {len(asked)} questions of dev; right document by the sum"
show.table(table, caption=f"{caption}; {written} texts are questions written for this course")

# %% [markdown] name="ablation-notes" only="instructor" then="01.1"
# Cover the table and let the room bet: does better splitting help more, or a second way to search?
# The figures differ more from row to row than from column to column. When you are late, run the
# cells about chunks without comment. Exercise 01.1 also adds the scores of two searches. Each
# search has a scale of its own, so both are scaled first.

# %% [markdown] name="ablation-read"
# Read down the column of the vectors, then across the last row. Which change brought most? A
# difference of two or three questions is noise here. A whole document can hardly pass: next to the
# right fact it usually states one that must not be stated. Its last column shows that the search
# found it.
#
# ## What does the model make of a passage?
#
# Now the model reads what was found, and is told to use nothing else. This is *retrieval-augmented
# generation* (RAG). Give it the whole document first, then one titled sentence, then the result of
# the better search.

# %% name="reading"
RULE = ROLE + " Use only the text given."
reading = ChatPromptTemplate([("system", RULE), ("user", "{text}\n\n{question}")]) | llm


def read(text, q):
    """What the chain answers to a question about a text."""
    return reading.invoke({"text": text, "question": q.question}).text


def from_document(q):
    """The answer from the nearest whole document."""
    (page,) = whole.similarity_search(q.question, k=1)
    return read(page.page_content, q)


measure("3 whole document", from_document)

# %% [markdown] name="sentence-text"
# A document holds several figures, and a small model takes the wrong one. Give it one sentence.

# %% name="sentence"
by_vector = searches["titled sentences"].store


def from_sentence(q):
    """The answer from the titled sentence whose vector is nearest."""
    (sentence,) = by_vector.similarity_search(q.question, k=1)
    return read(sentence.page_content, q)


measure("4 one sentence", from_sentence)

# %% [markdown] name="better-search-text"
# Now the same with the better search: only the sentence that the model reads has changed. Compare
# the result with the last row above. Which is the weak part now, the search or the model?

# %% name="better-search"
search = searches["with questions"]


def from_best(q):
    """The answer from the best sentence, by meaning, questions and words."""
    sentence, _ = best(search, q.question)
    return read(sentence, q)


measure("5 better search", from_best)

# %% [markdown] name="examples-text"
# ## Do examples say it better than instructions?
#
# *Few-shot prompting* shows the model finished turns. These two are about another shop, and ask
# little of this model: it repeats the text that answers. Such details are found on dev and do not
# carry over to another model. A large model does not need them.

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


def repeated(q):
    """The best sentence, as the model repeats it."""
    sentence, _ = best(search, q.question)
    return repeating.invoke({"text": sentence, "question": q.question}).text


measure("6 examples", repeated)

# %% [markdown] name="refuse-text"
# ## When should it refuse?
#
# Some questions have no answer in the documents, and then even the best sentence is far from the
# question. The *receiver operating characteristic* (ROC) shows for every threshold how many
# unanswerable questions are caught, and how many answerable ones are lost.

# %% name="scores"
from sklearn.metrics import roc_auc_score, roc_curve

scores, by_meaning, answerable = [], [], []
for q in dev:
    if q.kind in ("single_fact", "conditional", "unanswerable"):
        scores.append(best(search, q.question)[1])
        by_meaning.append(search.scores(q.question)[0].max())
        answerable.append(q.kind != "unanswerable")
print("area by meaning alone:", round(roc_auc_score(answerable, by_meaning), 3))
print("area with words added:", round(roc_auc_score(answerable, scores), 3))

# %% [markdown] name="threshold-text"
# The *area* under the curve is 0.5 for guessing and 1 for a perfect score. The threshold trades two
# errors against each other: an invented answer, and a customer who is sent away without one. The
# shop makes this choice. Fernhill loses at most 10% of the answerable questions. Within that limit
# it catches as many unanswerable ones as it can, and then loses as few answerable ones as possible.

# %% name="threshold"
answered, kept, thresholds = roc_curve(answerable, scores, drop_intermediate=False)
fewest = answered[kept >= 0.9].min()
place = np.flatnonzero(answered <= fewest)[-1]
THRESHOLD = float(thresholds[place])
print("refuse below", round(THRESHOLD, 3))
print(f"answerable refused: {1 - kept[place]:.0%}")
print(f"unanswerable refused: {1 - answered[place]:.0%}")

# %% [markdown] name="threshold-notes" only="instructor" then="01.3"
# The mistake here is to look for the "right" threshold. Ask who in a shop may decide how many
# customers are sent away without an answer; wait half a minute, even in silence. The answer: not a
# developer. When you are late, skip the areas and keep the plot. Exercise 01.3 uses the threshold
# and its two errors from this section. New in it: the shop sets a price for one of the errors.

# %% name="roc"
show.line(
    {"one point for each threshold": (1 - kept, 1 - answered)},
    title=f"The chosen threshold refuses {1 - answered[place]:.0%} of what has no answer",
    x="answerable questions refused (share)",
    y="unanswerable questions refused (share)",
    marks={"chosen": float(1 - kept[place])},
)

# %% name="refusal-measured"
REFUSAL = "Sorry, I do not know: our documents do not answer that."


def or_refuse(q):
    """The repeated sentence, or the refusal where even the best one is too far away."""
    _, score = best(search, q.question)
    return repeated(q) if score >= THRESHOLD else REFUSAL


measure("7 refusal", or_refuse)

# %% [markdown] name="tools-text"
# ## What do tools add?
#
# No document says where order FH-10234 is. A *tool* is a function with a description and typed
# arguments: the model asks for a call, and your code makes it. `@tool` reads name, arguments and
# description from the function. Hosted models never see `extras`. The local one is shown these
# examples of what people say; `verbatim` arguments take the person's own words, and the `default`
# tool gets what no other tool is for.

# %% name="search-tool" app="agent.py"
from langchain.tools import BaseTool, tool

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

# %% [markdown] name="search-tool-text"
# This is what a model sees of the tool, and what a call returns:

# %% name="search-tool-used"
look_up = search_tool(search, THRESHOLD)
print(look_up.name, look_up.args)
print(look_up.description)
print(look_up.invoke({"query": one.question}))

# %% [markdown] name="order-text"
# The arguments of the next tool leave one thing out on purpose: the customer. Your service knows
# who is logged in, and passes it as the *context* of the run. `ToolRuntime` hands the context to
# the tool. The model neither sees it nor can change it. `ToolException` is how a tool says no; what
# becomes of it comes later.

# %% name="caller" app="agent.py"
from dataclasses import dataclass

from langchain.tools import ToolException, ToolRuntime


@dataclass(frozen=True)
class Caller:
    """Who is talking: the customer that the service has logged in, or None."""

    customer_id: str | None = None


def logged_in(runtime: ToolRuntime[Caller]) -> str:
    """The customer's id."""
    if runtime.context.customer_id is None:
        raise ToolException("Please log in first: orders are shown to their customer only.")
    return runtime.context.customer_id

# %% name="order-tool" app="agent.py"
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

OrderId = Annotated[str, Field(pattern=r"^FH-\d{5}$", description="such as FH-10234")]
Describe = Callable[[str, str], str]  # an order's and a customer's id -> the order in words
ABOUT_ORDERS = [
    *("Where is my order FH-10000?", "What did I pay for FH-10000?", "Is FH-10000 late?"),
    *("When was FH-10000 delivered?", "Which tent is in FH-10000?"),
]


def order_tool(describe: Describe) -> BaseTool:
    """The tool that looks up an order of the customer who is logged in."""

    @tool(extras={"examples": ABOUT_ORDERS})
    def lookup_order(order_id: OrderId, runtime: ToolRuntime[Caller]) -> str:
        """Look up one order of the customer: status, dates, carrier, items, amounts."""
        return describe(order_id, logged_in(runtime))

    return lookup_order

# %% [markdown] name="book-text"
# Fernhill's order book is a small SQLite database. One function puts an order into words.

# %% name="book"
from helpers.shop import open_orders

orders = open_orders()  # a copy in memory


def describe(order_id, customer_id):
    """A customer's order in sentences."""
    order = orders.get(order_id, customer_id)
    goods = ", ".join(f"{item.quantity} x {item.title}" for item in order.items)
    state = order.status
    if state == "delivered":
        state = f"delivered on {order.delivered_on:%d %B %Y}"
    way = f"Carrier: {order.carrier}. Expected: {order.expected_on}."
    return f"Order {order.id}: {state}. {way} Items: {goods}. Total paid: £{order.total}."

# %% [markdown] name="choice-text"
# `bind_tools` shows the tools to a model, which may then answer with a call. The local model is too
# small to choose a tool. So the course's chat model fits a classifier to the tools' descriptions
# and examples, and takes order numbers from your words. The local model only writes the answer
# ([helpers/models/routing.py](../helpers/models/routing.py)). A hosted model does all of this
# itself, with the same lines of code.

# %% [markdown] name="results-prompt-text"
# The local model reads a tool's result in the same turn as the question, like the text above.

# %% name="results-prompt"
if model == "local":  # its chat template has no place for tool results: they go here
    llm = llm.model_copy(update={"results_prompt": "{question}\n\n{results}"})

# %% name="choice"
look_up_order = order_tool(describe)
tools = [look_up, look_up_order]
thinking = llm.bind_tools(tools)
for text in ["Where is FH-10234?", "Is the Alta 2 waterproof?", "Hi!"]:
    print(text)
    reply = thinking.invoke(text)
    for call in reply.tool_calls:
        print("   ", call["name"], call["args"])

# %% [markdown] name="choice-notes" only="instructor" then="01.2"
# The mistake here is to credit the small model with the choice. Say it twice: a classifier chooses.
# Ask which tool the third line should call, and why "none" is right. If the room has a hosted
# model, run this cell with it: the code is the same. Exercise 01.2 uses `@tool`, `extras` and the
# hidden `runtime` from this section.

# %% [markdown] name="loop-text"
# ## What is an agent?
#
# An agent is a loop: the model answers or asks for tools, the tools run, the model reads the
# results. In LangGraph it is a graph of two nodes. `ToolNode` makes the calls; one *conditional
# edge* decides whether to go round again.

# %% name="nodes"
from langchain.messages import SystemMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode


def call_model(state: MessagesState):
    """Let the model answer, or ask for tools."""
    return {"messages": [thinking.invoke([SystemMessage(SYSTEM), *state["messages"]])]}


def go_on(state: MessagesState):
    """To the tools where the model asks for them, else to the end."""
    return "tools" if state["messages"][-1].tool_calls else END

# %% name="graph"
from IPython.display import Markdown

graph = StateGraph(MessagesState, context_schema=Caller)
graph.add_node("model", call_model)
graph.add_node("tools", ToolNode(tools))
graph.add_edge(START, "model")
graph.add_conditional_edges("model", go_on, ["tools", END])
graph.add_edge("tools", "model")
loop = graph.compile()
drawing = loop.get_graph().draw_mermaid(with_styles=False)
display(Markdown(f"```mermaid\n{drawing}\n```"))  # noqa: F821 - a name that notebooks have

# %% [markdown] name="loop-run-text"
# Run it once and read the messages. How often is the model called?

# %% name="loop-run"
mine = "FH-10261"  # an order of C-0055
asking = {"messages": [("user", f"Where is {mine}?")]}
state = loop.invoke(asking, context=Caller("C-0055"))
for message in state["messages"]:
    message.pretty_print()

# %% [markdown] name="loop-measured-text"
# The model is called twice: once to ask for the tool, once to answer. Compare the answer with the
# tool's message: did every word of it come from there? This loop has tools, but it
# has lost the examples and the refusal of the step before. Before you measure it: do you expect
# more right answers, or fewer?

# %% name="loop-measured"
def say(agent, thread, text, customer=None):
    """What an agent answers in a conversation, to a customer."""
    config = {"configurable": {"thread_id": thread}}
    state = agent.invoke({"messages": [("user", text)]}, config, context=Caller(customer))
    return state["messages"][-1].text


def each_alone(agent):
    """A function that asks the agent each question in a conversation of its own."""
    return lambda q: say(agent, q.id, q.question, q.customer)


measure("8 loop by hand", each_alone(loop))

# %% [markdown] name="create-text"
# ## Is there a shorter way to write this?
#
# `create_agent` builds the same graph in one call. `context_schema` declares the type of the
# context that you pass, here `Caller`. A *checkpointer* keeps each conversation, so that it can go
# on.

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
measure("9 create_agent", each_alone(agent))
print("the same verdicts:", verdicts["9 create_agent"] == verdicts["8 loop by hand"])

# %% [markdown] name="stream-text"
# ## What does a reader see while it works?
#
# `stream` yields what happens: *updates* are the nodes that have finished, *messages* the tokens as
# the model writes them.

# %% name="stream"
asking = {"messages": [("user", "How long is the guarantee on boots?")]}
config = {"configurable": {"thread_id": "stream"}}
modes = ["updates", "messages"]
for mode, part in agent.stream(asking, config, context=Caller(), stream_mode=modes):
    if mode == "updates":
        print("\nfinished:", *part)
    elif part[0].text and part[1]["langgraph_node"] == "model":  # a token, and where it is from
        print(part[0].text, end="|")

# %% [markdown] name="memory-text"
# ## What does it remember?
#
# The checkpointer stores messages under a `thread_id`. Ask two questions in one thread. What does
# the model read when it answers the second one?

# %% name="second"
first_question = "How long do I have to return a tent?"
surcharge = "What do you charge on top for a parcel to Orkney?"
print(say(agent, "morning", first_question))
print(say(agent, "morning", surcharge))

# %% [markdown] name="as-second-text"
# One example proves little. So ask every question for a single fact as the second one of a thread:

# %% name="as-second"
facts = [q for q in sample if q.kind == "single_fact"]


def right_as_second(agent):
    """How many answers are right when another question came before, in the same thread."""
    count = 0
    for q in show.progress(facts, label="asked as the second question"):
        thread = "second/" + q.id
        say(agent, thread, first_question)
        count += right(q, say(agent, thread, q.question))
    return count


print(right_as_second(agent), "of", len(facts), "right as the second question")

# %% [markdown] name="second-notes" only="instructor"
# The mistake here is to expect that memory can only help. Ask what the model has read before you
# explain: draw the messages of the thread on the board.

# %% [markdown] name="hook-text"
# When this small model can see the first answer, it repeats it. A larger model does so less often,
# but you still pay for every old message in every call. *Middleware* hooks into the loop:
# `wrap_model_call` wraps each call of the model, so it sees the request and may change it. Once a
# tool has answered, let the model read only the examples and this turn.

# %% name="hook" app="agent.py"
from langchain.agents.middleware import ModelRequest, wrap_model_call
from langchain.messages import ToolMessage


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

# %% name="hook-used"
@wrap_model_call
def answer_from_results(request, handler):
    """Let the model answer from this turn's results."""
    return handler(focused(request))


agent = create_agent(
    llm,
    tools,
    system_prompt=SYSTEM,
    middleware=[answer_from_results],
    context_schema=Caller,
    checkpointer=InMemorySaver(),
)
print(say(agent, "noon", first_question))
print(say(agent, "noon", surcharge))
print(right_as_second(agent), "of", len(facts), "right as the second question")
measure("10 with the hook", each_alone(agent))

# %% [markdown] name="refusing-text"
# The refusal is still missing. A small model answers even when it is told that nothing was found,
# so code gives the refusal. If a tool refuses, the customer reads the tool's own words. The class
# below adds this to the hook. Its second method is for applications that run asynchronously. (A
# stream of tokens shows the model's own words before code replaces them: module 05 returns to it.)

# %% name="or-refusal" app="agent.py"
from langchain.agents.middleware import ModelResponse

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

# %% name="middleware" app="agent.py"
from collections.abc import Awaitable
from typing import Any

from langchain.agents import AgentState
from langchain.agents.middleware import AgentMiddleware

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

# %% [markdown] name="make-agent-text"
# This `make_agent` is the one to take home.

# %% name="make-agent" app="agent.py"
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

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

# %% name="refusal-in-agent"
memory = InMemorySaver()
agent = make_agent(llm, tools, memory)
measure("11 with the refusal", each_alone(agent))

# %% [markdown] name="apart-text"
# ## Are two customers kept apart?
#
# Two things do it. The thread keeps their *conversations* apart, the context keeps their *orders*
# apart. The first customer asks twice in one thread, the second asks the same in another. What do
# you expect for each line?

# %% name="apart"
where = f"Where is my order {mine}?"
print(say(agent, "C-0055/chat", where, "C-0055"))
print(say(agent, "C-0055/chat", "And what did I pay for it?", "C-0055"))
try:
    say(agent, "C-0007/chat", where, "C-0007")
except LookupError as error:
    print(type(error).__name__, error)

# %% [markdown] name="apart-notes" only="instructor" then="01.4" needs="What does it remember?"
# Let everyone write down what each of the three lines will print: half a minute. The last one ends
# in an error, on purpose: the next section turns it into a sentence. The mistake here is to think
# that the thread protects the order; it is the context that does. Ask what happens if both
# customers call their thread *chat*; wait for "they share a memory". Exercise 01.4 solves that,
# with the `thread_id` from the section on memory.

# %% [markdown] name="errors-text"
# ## What happens when a tool fails?
#
# The order stays hidden, but the exception ends the run, and the customer reads nothing. A tool
# that expects such a case raises `ToolException` with a sentence. With `handle_tool_error`, the
# sentence comes back as a message with the status *error*, and the loop goes on.

# %% name="errors" app="agent.py"
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

# %% name="errors-used"
look_up_order = order_tool(describe)
tools = [look_up, look_up_order]
agent = make_agent(llm, tools, memory)
print(say(agent, "C-0007/later", where, "C-0007"))
print(say(agent, "guest", where))

# %% [markdown] name="money-text"
# ## Which words may move money?
#
# A refund cannot be called back. Here is the tool that most tutorials would write, and a customer
# who does not want a refund.

# %% name="naive-refund"
@tool(extras={"examples": ["Refund FH-10000, please.", "I want my money back for FH-10000."]})
def issue_refund(order_id: OrderId, runtime: ToolRuntime[Caller]) -> str:
    """Pay back an order of the customer."""
    paid = orders.refund(order_id, logged_in(runtime))
    return f"Refund of {order_id}: £{paid.amount} has been refunded."


naive = make_agent(llm, [*tools, issue_refund])
text = "Do not refund FH-10743! I only want to know how a refund works."
print(say(naive, "money", text, "C-0055"))

# %% [markdown] name="money-notes" only="instructor" then="01.5" needs="What happens when a tool fails?"
# Pause after this output: nobody attacked the agent, and the money is gone. Collect other sentences
# that must not pay, and try them on the strict rule below. Exercise 01.5 guards the refund tool of
# the last cells in this section, so let people start it after them. Its guard answers with a
# message whose status is *error*, as the tool in the section before does.

# %% [markdown] name="strict-text"
# A call was asked for, and the tool trusted it. The strict rule has three parts. Only a
# message that says *Refund £20 of FH-10743* or *Refund all of FH-10743*, and nothing else, moves
# money. The order and the amount come from that message, never from the model. Each message pays
# once. Any other request gets a sentence that says what to write.

# %% name="strict" app="agent.py"
from decimal import Decimal

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

# %% name="refund-tool" app="agent.py"
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

# %% name="pay"
from helpers.shop import RefundRefused


def pay(order_id, customer_id, pounds):
    """Pay back through Fernhill's order book, by its rules."""
    try:
        paid = orders.refund(order_id, customer_id, pounds)
    except RefundRefused as refused:
        raise ValueError(str(refused)) from refused
    return f"Refund of {order_id}: £{paid.amount} has been refunded."
tools = [*tools, refund_tool(pay)]
strict = make_agent(llm, tools, InMemorySaver())
print(say(strict, "1", text.replace("FH-10743", "FH-10788"), "C-0050"))
print(say(strict, "2", "Please refund FH-10788, one stove was too many.", "C-0050"))
print(say(strict, "3", "Refund £39.00 of FH-10788.", "C-0050"))

# %% [markdown] name="strict-measured-text"
# The golden questions ask for refunds in free words. What do you expect the strict rule to cost?

# %% name="strict-measured"
orders = open_orders()  # the measurement pays from a fresh order book
measure("12 with refunds", each_alone(strict))

# %% [markdown] name="course-text"
# ## What does the course's agent add?
#
# `build_agent` ([helpers/agent/build.py](../helpers/agent/build.py)) is this agent with three
# middlewares, and a parser of refund requests that understands more than two sentences
# ([refund_words.py](../helpers/agent/refund_words.py)). The middlewares are in
# [middleware.py](../helpers/agent/middleware.py): `AnswerEachResult` lets the model answer from one
# result at a time, `RefuseUnanswered` is your refusal, and `ShowExamples` shows your examples. Its
# tools differ too: one hands over to a person, and one tells the fact of an order that was asked
# for. The next cell puts this agent together by hand.

# %% name="course"
import helpers.agent as fernhill
from helpers.agent import middleware as around
from helpers.agent.build import style_of

style = style_of(llm)
index = fernhill.fernhill_index(sentences=style.sentences)


def put_together(middleware):
    """The course's agent with these middlewares, on an order book of its own."""
    return create_agent(
        llm,
        fernhill.make_tools(index, open_orders(), threshold=fernhill.THRESHOLD),
        system_prompt=style.system,
        middleware=middleware,
        context_schema=Caller,
        checkpointer=InMemorySaver(),
    )


three = [around.AnswerEachResult(), around.RefuseUnanswered(), around.ShowExamples(style)]
measure("13 build_agent", each_alone(put_together(three)))

# %% [markdown] name="without-text"
# Now remove one of the three at a time. Which one do you expect to matter most?

# %% name="without-each"
for gone in three:
    rest = list(three)
    rest.remove(gone)
    lesser = put_together(rest)
    measure("without " + gone.name, each_alone(lesser))
measure("without all three", each_alone(put_together([])))

# %% [markdown] name="worth-text"
# ## What was each step worth?
#
# The plot shows all steps on the same questions. Intervals that overlap do not say that two steps
# are equal. They say only that this many questions cannot tell them apart. The table after it
# counts by kind of question. Which step helped which kind, and which kind is still weak?

# %% name="steps"
rates = {}
for step, each in verdicts.items():
    rates[step] = (sum(each), len(each))
first, _ = rates["1 model"]
last, _ = rates["13 build_agent"]
title = f"From {first} of {len(sample)} right with the bare model to {last} with the agent"
show.intervals(rates, title=title, x="right answers")

# %% name="kinds"
import pandas as pd

all_verdicts = pd.DataFrame(verdicts)
all_verdicts["questions asked"] = True
kinds = [q.kind for q in sample]
by_kind = all_verdicts.groupby(kinds).sum().T
rows = by_kind.reset_index(names="step").to_dict("records")
show.table(rows, caption="Right answers by kind")

# %% [markdown] name="structured-text"
# ## How do you get data instead of words?
#
# A program that routes complaints needs fields, not prose. `with_structured_output` makes the model
# fill a schema, such as this one.

# %% name="schema"
from typing import Literal

from pydantic import BaseModel


class Complaint(BaseModel):
    """What a customer complains about."""

    product: str = Field(max_length=30, description="the product's name")
    problem: str = Field(max_length=60, description="what is wrong with it")
    wants: Literal["refund", "repair", "replacement"]

# %% [markdown] name="structured-used-text"
# The local engine cannot write anything that breaks the schema. Which field would you trust?

# %% name="structured"
reader = chat_model(max_tokens=120).with_structured_output(Complaint)
print(reader.invoke("My Alta 2 tent leaks at the seam. I want my money back."))
print(reader.invoke("The zip of my Squall jacket broke. Can you fix it?"))

# %% [markdown] name="structured-read"
# The schema promises the shape: three fields, the last of them one of three words. It promises
# nothing about what the fields say. Measure that like any other answer before a program acts on it.

# %% [markdown] name="structured-notes" only="instructor" then="01.6" needs="What does it remember?"
# When you are late, skip the schema: no exercise needs it. Exercise 01.6 is the gate and comes
# last. It uses the hook around the model's calls from the section on memory, and measures the
# course's agent with it.

# %% [markdown] name="measured-text"
# ## What you measured
#
# The figures to take with you. They flatter, because weight, threshold and examples were chosen on
# dev: `course eval --part heldout` asks questions that nothing was chosen on. In module 02 you
# decide whether an agent with such figures may be shipped.

# %% name="measured"
figures = {
    "right document first, whole documents": (table[0]["right document"], len(asked)),
    "right document first, this index": (table[-1]["right document"], len(asked)),
    "right answers, bare model": rates["1 model"],
    "right answers, your agent": rates["12 with refunds"],
    "right answers, build_agent": rates["13 build_agent"],
}
rows = []
for name, (count, of) in figures.items():
    rows.append({"figure": name, "right": count, "of": of})
chooser = "the course's classifier" if model == "local" else model
show.table(rows, caption=f"Questions of dev; model {model}; tools chosen by {chooser}")

# %% [markdown] name="production"
# **In production** a hosted model does three jobs that the local one cannot: it chooses tools,
# fills in their arguments and reads several passages at once. Set `COURSE_MODEL` and run this
# notebook again to compare. A checkpointer in memory forgets when the process ends: use
# `langgraph-checkpoint-postgres` or Redis, and a vector store that is a service.
#
# **Where it breaks.** A search for the nearest sentence ignores conditions in the question ("if I
# am not a member?"). A threshold on a score cannot tell a question that is off topic from one that
# is on topic and unanswered. Another embedding model needs another threshold. Nothing here stops a
# hostile document: that is module 03.

# %% [markdown] name="keep"
# ## Keep this
#
# ```python
# @tool
# def lookup_order(order_id: str, runtime: ToolRuntime[Caller]) -> str:
#     """Look up one order of the customer."""
#     if runtime.context.customer_id is None:
#         raise ToolException("Please log in first.")
#     return find_order(order_id, runtime.context.customer_id)  # your own function
#
# lookup_order.handle_tool_error = True
# agent = create_agent(model, [lookup_order], context_schema=Caller, checkpointer=InMemorySaver())
# config = {"configurable": {"thread_id": "chat-1"}}
# agent.invoke({"messages": [("user", text)]}, config, context=Caller("C-0042"))
# ```
#
# **The figure:** right answers of the bare model and of the agent, on the same questions (the title
# of the plot above). **The pitfall:** a customer can talk the model into any argument that it fills
# in, so who is logged in and what is paid never come from the model. **In a review meeting:** say
# what the next cell prints.

# %% name="sentence-to-say"
agent_right, of = rates["12 with refunds"]
print(f"On {of} questions that it was tuned on, our agent gets {agent_right} right.")
print(f"The bare model gets {first}. Refunds follow the customer's words, not the model's.")

# %% [markdown] name="without"
# ## Without the course
#
# In an empty folder: `pip install langchain langchain-openai langgraph langchain-text-splitters
# bm25s scikit-learn`, and your provider's key in `OPENAI_API_KEY`. Then
# `init_chat_model("openai:gpt-4.1-mini")` and `init_embeddings("openai:text-embedding-3-small")`
# of LangChain. For a server of your own give both a `base_url`, and the embeddings
# `check_embedding_ctx_length=False`.
#
# - You write your own `describe`, `pay` and documents. Leave out `CachedEmbeddings` and `extras`.
# - The prompt and the examples suit this small model. Tell a larger one what it is and when to
#   search, and measure whether it needs `focused` at all.
# - Choose the threshold again for your embeddings, on questions with and without an answer.
# - *Once* is once a message. A customer who repeats it asks `pay` again, which knows what is left.
# - The local model calls tools only through the course's classifier. Take any model that calls
#   tools itself.
#
# `course new ../my-agent` writes this agent as a project with tests, documents, orders and a chat.

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
