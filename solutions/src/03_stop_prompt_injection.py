# %% [markdown] name="title" only="lab"
# # Lab 03: Stop prompt injection
#
# **Before it:** the walkthrough
# [03 Stop prompt injection](../notebooks/03_stop_prompt_injection.ipynb).

# %% [markdown] name="title" only="solution"
# # Solution of lab 03: Stop prompt injection
#
# All exercises solved, and why. The lab itself:
# [labs/03_stop_prompt_injection.ipynb](../labs/03_stop_prompt_injection.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="model"
os.environ["COURSE_MODEL"] = model

# %% [markdown] name="stream-goal"
# ## 4. Filter an answer while it streams
#
# The walkthrough's output filter looks at a whole answer. A service that streams has shown every
# word by then. Look at how an answer leaves an agent: `stream_mode="messages"` gives it in pieces,
# and each piece comes with metadata. Results of tools are in the same stream.

# %% name="stream-look"
from langchain.messages import AIMessageChunk

from helpers.agent import Caller, build_agent


def pieces_of(agent, question, customer=None):
    """The words of an answer, as the model writes them."""
    config = {"configurable": {"thread_id": question}}
    asked = {"messages": [{"role": "user", "content": question}]}
    for message, _ in agent.stream(asked, config, context=Caller(customer), stream_mode="messages"):
        if isinstance(message, AIMessageChunk) and message.text:
            yield message.text


question = "What does express delivery cost, and by when must I order?"
print(list(pieces_of(build_agent(), question)))

# %% [markdown] name="stream-task"
# Write `guarded`, a generator function (not async). It takes the pieces of an answer, an iterator
# of `str`, and yields whole sentences, each after a look. `leaks` is a function: `leaks(text)` says
# whether a text gives the secret away, `True` or `False`.
#
# - **A sentence** ends directly behind `.`, `!` or `?`, where white space comes next (what
#   `str.isspace` says; `\s` matches the same). So the point in `2.1 kg` ends nothing, and the
#   second one of `e.g. a tent` does. The white space belongs to the next sentence.
# - The pieces are cut anywhere, also within a word, a number or the white space. Some are empty.
# - What is left when the pieces end is the last sentence, unless it is empty.
# - **Each sentence is one text.** Yield it before you look at the next one, and before you read the
#   next piece. Joined, the texts of a harmless answer are the answer, character by character.
# - **Before a sentence goes out**, call `leaks` once, with everything that went out so far and the
#   sentence behind it. Do not ask it anything else.
# - **On a leak** yield `WITHHELD` in place of the sentence, and end: read no more pieces.
# - If the pieces or `leaks` raise an error, let it through. What you still hold does not go out.
# - Several answers may be read at the same time. They share nothing.
#
# For instance, of `["It weighs 2.", "1 kg. The co", "de is FERN-7QX4. Bye."]`, where `FERN-7QX4` is
# the secret, come `"It weighs 2.1 kg."` and `WITHHELD`. `leaks` was asked about `"It weighs 2.1
# kg."`, and then about `"It weighs 2.1 kg. The code is FERN-7QX4."`.

# %% exercise="03.4"
import re
from collections.abc import Callable, Iterator

WITHHELD = "Sorry, I cannot answer that."


def guarded(pieces: Iterator[str], leaks: Callable[[str], bool]) -> Iterator[str]:
    """The sentences of a streamed answer, until one would give the secret away."""
    # LAB: return TODO
    # BEGIN SOLUTION
    said = held = ""
    for piece in pieces:
        *sentences, held = re.split(r"(?<=[.!?])(?=\s)", held + piece)
        for sentence in sentences:
            said += sentence
            if leaks(said):
                yield WITHHELD
                return
            yield sentence
    if held:
        yield WITHHELD if leaks(said + held) else held
    # END SOLUTION

# %%
check("03.4", guarded)

# %% [markdown] name="stream-why" only="solution"
# A sentence is a compromise: the first words leave early, and half a secret does not. Asking about
# everything that went out finds a secret that is spread over sentences, one sentence before its
# end. Its first part is out by then, and no filter takes it back: a larger unit is safer and
# slower. And a filter like this has to be the only way out. If the service also sends events about
# tool calls or reasoning, they need the same look.

# %% [markdown] name="stream-use-text"
# How long does a customer wait for the first words, and how long would they wait for a filter that
# looks at the whole answer? Here the filter looks for words about money.

# %% name="stream-use"
import time

if ready("03.4"):
    rows = []
    for name, leaks in {"harmless": lambda text: "FERN" in text,
                        "withheld": lambda text: "£" in text}.items():
        start = time.perf_counter()
        texts = []
        for text in guarded(pieces_of(build_agent(), question), leaks):
            texts.append((time.perf_counter() - start, text))
        rows.append({"answer": name, "texts": len(texts), "first after s": texts[0][0],
                     "last after s": texts[-1][0], "last text": texts[-1][1]})
    show.table(rows, caption="The running agent's answer, sentence by sentence", digits=2)
