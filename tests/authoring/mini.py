"""A course of one module in a folder, small enough to be built within a test."""

import subprocess
from pathlib import Path

# The real `check` is tested in its own room; this one shows the same machine-readable card.
CHECK = """\
from IPython.display import publish_display_data

TODO = object()


def check(exercise, answer):
    found = answer(2) if callable(answer) else answer
    status = "not done yet" if found is TODO else "passed" if found == 4 else "wrong"
    card = {"exercise": exercise, "status": status}
    publish_display_data({"text/plain": status, "application/vnd.course.check+json": card})
"""

SOLUTION = f'''\
# %% [markdown] name="title" only="lab"
# # Lab 01

# %% [markdown] name="title" only="solution"
# # Solution of lab 01

# %% name="imports"
import os

{CHECK}

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")

# %% [markdown] name="double-goal"
# ## 1. Double a number

# %% exercise="01.1"
def double(number: int) -> int:
    """Twice the number."""
    # LAB: return TODO
    # BEGIN SOLUTION
    return number * 2
    # END SOLUTION


# %%
check("01.1", double)
'''

WALKTHROUGH = """\
# %% [markdown] name="title"
# # Walkthrough 01

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")

# %% name="where"
import sys
import warnings
from pathlib import Path

import helpers.paths

print(Path.cwd())
print("fast" if fast else "full", os.environ["COURSE_HOME"])
warnings.warn("measured in passing", stacklevel=1)
print(helpers.paths.ROOT)

# %% name="bar"
for done in range(3):
    print(f"\\r{done * 50}%|#####| {done}/2 [00:00<00:00, 9.9it/s]", end="", file=sys.stderr)
object()
"""


def write(root: Path, *, solution: str = SOLUTION, walkthrough: str = WALKTHROUGH) -> Path:
    """Write the sources of module 01 below `root`, and return it."""
    for folder, text in (("solutions", solution), ("notebooks", walkthrough)):
        path = root / folder / "src" / "01_topic.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def commit(root: Path) -> None:
    """Commit everything below `root`, in a repository of its own."""
    who = [
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.com",
        "-c",
        "commit.gpgsign=false",
    ]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "state"]):
        subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)
