# %% [markdown] name="title"
# # 01 Build an agent
#
# After this notebook you can build a support agent that answers from documents, calls tools and
# remembers a conversation, and say what each part adds, in figures.
#
# **60 to 75 minutes. Level: Python, a first idea of language models. Before it: module 00.**
#
# You build the agent from the inside out, and measure each step on the same questions.
#
# ```mermaid
# flowchart LR
#     s1[1 model] --> s2[2 chain] --> s3[3 retrieval] --> s4[4 less to read]
#     s4 --> s5[5 examples] --> s6[6 refusal] --> s7[7 tools: the agent] --> s8[8 memory]
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="imports"
from collections import Counter

import numpy as np
from langchain_core.prompts import ChatPromptTemplate

import helpers.agent as fernhill
from helpers.agent import THRESHOLD, Caller, build_agent
from helpers.course import quiz, show
from helpers.evaluate import Proportion, Run, run, score
from helpers.evaluate.recall import WordSearch, by, recall
from helpers.models import chat_model, embeddings
from helpers.shop import documents, open_orders, questions

os.environ["COURSE_MODEL"] = model

# %% [markdown] name="questions-text"
# ## What counts as a good answer?
#
# Fernhill has 300 *golden questions*: each knows the facts that a right answer must state, and
# those that it must not. They come in three parts. *dev* is for building, so you see it here;
# *lab* is for the lab's checks; *heldout* is never looked at while building.

# %% name="questions"
dev = questions("dev")
sample = dev[:: 16 if fast else 4]
rows = [{"kind": kind, "questions": n} for kind, n in Counter(q.kind for q in sample).items()]
show.table(rows, caption=f"The {len(sample)} questions that every step answers")

# %% [markdown] name="measure-text"
# The forbidden values of a question stand in the same document as the right one, so that pasting
# the document is no way to score.
#
# Every step below is a function from a question to a `Run`: the answer, and what it took. The
# next cell asks them all and keeps the scores, with counts and a 95% interval (Wilson's), because
# a rate of a few dozen answers is a rough figure.

# %% name="measure"
scores = {}

def measure(step, answer):
    asked = show.progress(sample, label=step)
    scores[step] = [score(question, answer(question)) for question in asked]
    print(f"{step}: right {Proportion.of(s.answer.right for s in scores[step])}")

# %% [markdown] name="bare-text"
# ## 1. What does the bare model know?
#
# It was trained on text from the web, and Fernhill is not there. How many of the questions do you
# expect it to get right?

# %% name="bare"
llm = chat_model(max_tokens=40)
example = next(q for q in sample if q.kind == "conditional")
print(example.question, example.required, "not", example.forbidden)
print(llm.invoke(example.question).text, "\n")
measure("1 model", lambda q: Run(q.id, llm.invoke(q.question).text))

# %% [markdown] name="chain-text"
# The answers read well. That is the danger: fluency is not evidence.
#
# ## 2. Does a better prompt help?
#
# A *chain* pipes a prompt template into the model. The instruction asks for a short answer, and
# for honesty: say that you do not know. A prompt can ask for behaviour; can it add knowledge?

# %% name="chain"
ROLE = "You are the support agent of Fernhill, a shop for outdoor gear. Answer in one sentence."
HONEST = ROLE + " If you are not sure, say that you do not know."
chain = ChatPromptTemplate([("system", HONEST), ("user", "{question}")]) | llm
measure("2 chain", lambda q: Run(q.id, chain.invoke({"question": q.question}).text))

# %% [markdown] name="search-text"
# ## 3. How do you find the right document?
#
# An *embedding* turns a text into a vector, such that texts with a similar meaning point in a
# similar direction. The cosine of the angle is the similarity, 1 for the same direction.

# %% name="similarity"
texts = ["How long do I have to return a tent?", "Goods can be sent back within a month.",
         "How long is the tent?"]
vectors = np.array(embeddings().embed_documents(texts))
print(np.round(vectors @ vectors.T, 2))

# %% [markdown] name="recall-text"
# Compare the first row's second and third figures: the same meaning in other words, and the same
# words with another meaning. Remember them for the semantic cache of module 10.
#
# The course's index compares a question with every sentence of the documents, and with questions
# that each sentence answers: 968 of them were written for this course. It adds a little for rare
# words that both contain. A document's score is that of its best sentence. *Recall at k* is the
# share of questions whose right document is among the first k. BM25, the classic search by words,
# is the row to beat.

# %% name="recall"
index = fernhill.fernhill_index()
searches = {"this index": by(index), "BM25": WordSearch(documents()).search}
rows = [{"search": name} | {f"first {k}": str(recall(search, dev, k)) for k in (1, 3)}
        for name, search in searches.items()]
show.table(rows, caption="How often the right document is among the first")

# %% [markdown] name="rag-text"
# Now give the model the best document to read, and ask it to answer from that alone. This is
# *retrieval-augmented generation* (RAG).

# %% name="rag"
RULE = ROLE + " Use only the text given."
reading = ChatPromptTemplate([("system", RULE), ("user", "{text}\n\n{question}")]) | llm

def reply(chain, text, q):
    return Run(q.id, chain.invoke({"text": text, "question": q.question}).text)

measure("3 retrieval", lambda q: reply(reading, index.search(q.question, k=1)[0].text, q))

# %% [markdown] name="excerpt-text"
# ## 4. Does the model do better with less to read?
#
# Each document holds several figures, and a small model takes the wrong one. The index knows
# which sentence is nearest to the question: give the model that one alone, with the title in
# front, because "It weighs 2.1 kg" says of what only then.

# %% name="excerpt"
measure("4 less to read", lambda q: reply(reading, index.search(q.question, k=1)[0].excerpt, q))

# %% [markdown] name="examples-text"
# ## 5. Do examples say it better than instructions?
#
# *Few-shot prompting* shows the model finished turns instead of describing them. These two, about
# another shop, ask this model for little: repeat the text that answers. The text stands last,
# because it repeats best what it has read last. Such details are found on dev only, and do not
# carry over to another model; a large one needs neither.

# %% name="with-examples"
style = fernhill.LOCAL
turns = [("system", style.system), *style.examples, ("user", "{question}\n\n{text}")]
repeating = ChatPromptTemplate(turns) | llm
print(style.examples[0].text, "->", style.examples[1].text)
measure("5 examples", lambda q: reply(repeating, index.search(q.question, k=1)[0].excerpt, q))

# %% [markdown] name="refuse-text"
# ## 6. When should it refuse?
#
# Some questions have no answer in the documents. Then even the best document is far from the
# question. The *receiver operating characteristic* (ROC) shows, for every threshold on the
# similarity, how many unanswerable questions are caught and how many answerable ones are lost.

# %% name="roc"
curve = fernhill.answerability_curve(index, dev)
show.line({"each point a threshold": (curve.false_refusals, curve.caught)},
          title=f"Similarity separates what can be answered with an area of {curve.area:.2f}",
          x="answerable questions refused (share)", y="unanswerable questions refused (share)")

# %% [markdown] name="threshold-text"
# Where you cut is a choice between two errors, not a technical detail: an invented answer, or a
# customer sent away. Fernhill lets the agent refuse at most 10% of the answerable questions.
# Within that limit it takes the threshold that catches the most unanswerable ones. The threshold is
# chosen on the dev and lab questions, and judged on others.

# %% name="threshold"
def or_refuse(q):
    best = index.search(q.question, k=1)[0]
    near = best.score >= THRESHOLD
    return reply(repeating, best.excerpt, q) if near else Run(q.id, fernhill.REFUSAL)

measure("6 refusal", or_refuse)

# %% [markdown] name="tools-text"
# ## 7. What do tools add?
#
# No document says where order FH-10234 is. A *tool* is a function with a description and typed
# arguments. The model may ask for a call; your code makes it.
#
# What is missing among the arguments is as important: the customer. Who is logged in comes from
# your service, beside the conversation, so nothing that anybody writes can change it. And the
# rules of a refund stand in code, not in the prompt.

# %% name="tools"
tools = fernhill.make_tools(index, open_orders(), threshold=THRESHOLD)
rows = [{"tool": t.name, "arguments": ", ".join(t.args), "what for": t.description} for t in tools]
show.table(rows, caption="The agent's tools")

# %% name="choice"
chooser = chat_model().bind_tools(tools)
for text in ["Where is FH-10234?", "Is the Alta 2 waterproof?", "Let me talk to a person", "Hi!"]:
    calls = [(call["name"], call["args"]) for call in chooser.invoke(text).tool_calls]
    print(f"{text:26}", calls or "no tool")

# %% [markdown] name="choice-text"
# To be plain about who chose: this model is too small to choose tools. The course's local chat
# model fits a classifier to the tools' descriptions and examples, on sentence embeddings; order
# numbers are taken from your words; the model writes the answer. A hosted model does all of it by
# itself. The agent around it, and every line of this notebook, is the same for both.

# %% name="agent"
agent = build_agent()
measure("7 agent", lambda q: run(agent, [q])[0])

# %% [markdown] name="picture-text"
# ## What was each step worth?
#
# All steps, on the same questions. Overlapping intervals do not mean that two steps are equal,
# only that this many questions cannot tell them apart; module 02 compares them properly.
#
# The average hides who gained, so the table below counts each kind of question. Which step helped
# which kind, and which kind is still weak?

# %% name="steps"
right = {step: Proportion.of(s.answer.right for s in each) for step, each in scores.items()}
first, last = right["1 model"].rate, right["7 agent"].rate
title = f"From {first:.0%} right with the bare model to {last:.0%} with the agent"
show.intervals(right, title=title, x="right answers")

# %% name="kinds"
kinds = Counter(q.kind for q in sample)
rows = [{"step": step} | {k: sum(s.answer.right for s in each if s.kind == k) for k in kinds}
        for step, each in scores.items()]
show.table([*rows, {"step": "questions asked"} | kinds], caption="Right answers by kind")

# %% [markdown] name="memory-text"
# ## 8. What does it remember?
#
# A *checkpointer* keeps the messages of each conversation under its `thread_id`. Two separate
# things keep two customers apart: the thread keeps their *conversations* apart, the customer in
# the caller's context keeps their *orders* apart. What do you expect for each line below? The
# first customer asks twice in one thread; the second asks the same in another.

# %% name="memory"
def say(customer, thread, text):
    config = {"configurable": {"thread_id": thread}}
    state = agent.invoke({"messages": [("user", text)]}, config, context=Caller(customer))
    print(f"{customer}: {text}\n    {state['messages'][-1].text}")

mine = open_orders().order_ids("C-0042")[0]
for customer, thread in [("C-0042", "morning"), ("C-0007", "noon")]:
    say(customer, thread, f"Where is my order {mine}?")
    say(customer, thread, "And what did I pay for it?")

# %% [markdown] name="measured-text"
# ## What you measured
#
# The figures to take with you, with their counts. In module 02 you decide whether an agent with
# such figures may be shipped.

# %% name="measured"
made = scores["7 agent"]
figures = {"right answers, bare model": right["1 model"], "right answers, agent": right["7 agent"],
           "tool choice": Proportion.of(s.tools for s in made),
           "arguments, where the tool is right": Proportion.of(s.arguments for s in made)}
rows = [{"figure": name, "rate, 95% interval, counts": str(r)} for name, r in figures.items()]
show.table(rows, caption=f"On {len(sample)} questions of the dev part")

# %% [markdown] name="production"
# **In production** a hosted model takes over three jobs that the local one cannot do: it chooses
# tools, fills in arguments, and reads several passages at once. Set `COURSE_MODEL` and run this
# notebook again: the steps, the questions and the scores stay the same, so you can compare.
#
# **Where it breaks.** An answer that repeats a sentence is only as good as the sentence. Questions
# whose condition decides ("if I am not a member?") need reading, and a nearest sentence does not
# read. A threshold on similarity cannot tell a question that is off topic from one that is on
# topic and unanswered. And nothing here stops a hostile document: that is module 03.
#
# ## Quiz
#
# Seven questions on what you have just built.

# %% name="quiz"
quiz("01")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/01_build_an_agent.ipynb](../labs/01_build_an_agent.ipynb), six exercises.
# - [LangChain: agents](https://docs.langchain.com/oss/python/langchain/agents) and
#   [LangGraph: persistence](https://docs.langchain.com/oss/python/langgraph/persistence).
# - Retrieval-augmented generation: Lewis et al., 2020,
#   [arXiv:2005.11401](https://arxiv.org/abs/2005.11401).
# - Sentence embeddings: Reimers and Gurevych, 2019,
#   [arXiv:1908.10084](https://arxiv.org/abs/1908.10084).
# - The interval: E. B. Wilson, 1927, *J. Am. Stat. Assoc.* 22, 209-212.
