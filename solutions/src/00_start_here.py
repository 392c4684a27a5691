# %% [markdown] name="title" only="lab"
# # Lab 00: Start here
#
# After this lab you know how every lab of the course works. **5 minutes. Before it:** the
# walkthrough [00 Start here](../notebooks/00_start_here.ipynb).
#
# Fill each cell that contains a `TODO`, run it, then run the check below it. Give a wrong answer on
# purpose once: the card shows what was called, what your code gave, and a hint.

# %% [markdown] name="title" only="solution"
# # Solution of lab 00: Start here
#
# Both exercises solved, and why. The lab itself:
# [labs/00_start_here.ipynb](../labs/00_start_here.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready  # noqa: F401
from helpers.models import chat_model

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="settings"
os.environ["COURSE_MODEL"] = model

# %% [markdown] name="cost-goal"
# ## 1. What does one answer cost?
#
# Put the price of one answer, in US dollars, into `cost_usd`: a number of any type, not rounded.
#
# - The model read a prompt of 180 tokens. Reading costs 0.50 US dollars per million tokens.
# - It wrote 24 tokens. Writing costs 2.00 US dollars per million tokens.
#
# An example with other figures: 1,000 tokens read at 1.00 and 100 written at 3.00 cost
# 0.001 + 0.0003 = 0.0013 US dollars.

# %% exercise="00.1"
# LAB: cost_usd: float = TODO
# BEGIN SOLUTION
cost_usd: float = (180 * 0.50 + 24 * 2.00) / 1_000_000
# END SOLUTION

# %%
check("00.1", cost_usd)

# %% [markdown] name="cost-why" only="solution"
# Reading and writing have different prices, so multiply each count by its own price. The
# answer is an eighth of the tokens and a third of the price.

# %% [markdown] name="speed-goal"
# ## 2. How fast does a model write?
#
# Write `tokens_per_second(usage, seconds)`: how many tokens the model wrote in a second.
#
# - `usage` is a dictionary like LangChain's `usage_metadata`: what was read (`input_tokens`), what
#   was written (`output_tokens`), and the sum (`total_tokens`). Leave it as it is.
# - `seconds` is a number: how long the call took. A short time, such as 0.01, is valid.
# - Return a number of any type, not rounded.
# - A time of 0 or less is invalid: raise `ValueError` with a message that contains `seconds`.
#
# For instance, 25 tokens written in 2 seconds is 12.5 per second, however long the prompt was.

# %% exercise="00.2"
def tokens_per_second(usage: dict[str, int], seconds: float) -> float:
    """How many tokens a model wrote in a second."""
    # LAB: return TODO
    # BEGIN SOLUTION
    if seconds <= 0:
        raise ValueError(f"seconds must be more than 0, not {seconds}")
    return usage["output_tokens"] / seconds
    # END SOLUTION

# %%
check("00.2", tokens_per_second)

# %% [markdown] name="speed-why" only="solution"
# The guard comes first: a speed of infinity, or a division error from deep inside, would say less
# than one sentence about the argument that is wrong. The check tries the function and this solution
# on 150 generated inputs and shows the smallest on which they differ.

# %% [markdown] name="use-text"
# ## Now on the real model
#
# A cell that builds on an exercise says so as long as the exercise is open, and the notebook runs
# on. Once your function passes, this one measures how fast the model writes on this machine.

# %% name="use"
import time

if ready("00.2"):
    start = time.perf_counter()
    reply = chat_model(max_tokens=24).invoke("Tell me about walking in the hills.")
    speed = tokens_per_second(reply.usage_metadata, time.perf_counter() - start)
    print(f"{speed:.0f} tokens per second, reading the prompt included")

# %% [markdown] name="next"
# ## Next
#
# `course status` in a terminal shows your progress. Go on with
# [01 Build an agent](../notebooks/01_build_an_agent.ipynb).
