# %% [markdown] name="title" only="lab"
# # Lab 11: Operate and improve
#
# After this lab you can find the volume at which one deployment gets cheaper than another, give an
# MCP server a tool that shows only the caller's own orders, stop a canary in time and not too soon,
# tell six causes of an incident apart by metrics and traces, and end a drill within its time.
#
# **90 to 110 minutes. Before it:** the walkthrough [11 Operate and
# improve](../notebooks/11_operate_and_improve.ipynb).
#
# Fill each cell that contains a `TODO`, run it, then run the check below it. If the check fails,
# the card shows a hint, and `hint("11.1")` gives the next one. The exercises do not depend on each
# other.

# %% [markdown] name="title" only="solution"
# # Solution of lab 11: Operate and improve
#
# All exercises solved, and why. The lab itself:
# [labs/11_operate_and_improve.ipynb](../labs/11_operate_and_improve.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="measured-text"
# ## What you measured

# %% name="measured"
if measured:
    show.table(measured, caption="What your work changed", digits=2)

# %% [markdown] name="next"
# ## Next
#
# `course status` shows your progress. `course drill` gives you another bad day, in a terminal.
#
# - The walkthrough again: [11 Operate and improve](../notebooks/11_operate_and_improve.ipynb).
# - [Page 12](../notebooks/12_review_questions.ipynb): your evidence for questions 4 and 5.
# - MCP: [the Python SDK](https://github.com/modelcontextprotocol/python-sdk).
# - Group-sequential designs: Lakens, Pahlke and Wassmer, 2021, a tutorial,
#   [doi:10.31234/osf.io/x4azm](https://doi.org/10.31234/osf.io/x4azm).
