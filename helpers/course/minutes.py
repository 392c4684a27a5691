"""How long a module takes, and what comes before it: from the bold line that opens its notebooks.

That line is the one source: `**75 minutes (the machine works for about 5 of them). Level: Python.
Before it: modules 01 and 03.**`. Of a range such as `90 to 120 minutes` the upper bound counts, so
that a plan does not promise too much.
"""

import functools
import json
import re
from pathlib import Path
from typing import NamedTuple

from helpers.paths import ROOT

_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_MINUTES = re.compile(r"(?:\d+ to )?(\d+) minutes\b")
_MACHINE = re.compile(r"machine works for (?:about )?(\w+)|less than (\w+) of them machine time")
_BEFORE = re.compile(r"Before it: (.+?)\.?$", re.DOTALL)


class MinutesError(LookupError):
    """There is no such module, or its opening line has no minutes; the message says which."""


class Minutes(NamedTuple):
    """The minutes of one module, upper bounds of ranges.

    `walkthrough` and `lab` are a person's; `machine` is how many of the walkthrough's minutes the
    machine works. `lab` is 0 for a module without a lab.
    """

    walkthrough: int
    lab: int
    machine: int


def of_module(number: str, *, root: Path = ROOT) -> Minutes:
    """The minutes of a module, such as "05", as its walkthrough and its lab state them.

    Args:
        number: two digits.
        root: the course's folder, with `notebooks/` and `labs/`.

    Raises:
        MinutesError: there is no such walkthrough, or a notebook's opening line has no minutes.
    """
    walkthrough = _notebook(number, "notebooks", root)
    if walkthrough is None:
        known = ", ".join(modules(root=root)) or "none"
        raise MinutesError(f"There is no module {number!r}. The modules are: {known}.")
    line = opening_line(walkthrough)
    lab = _notebook(number, "labs", root)
    return Minutes(
        walkthrough=_minutes(line, walkthrough),
        lab=_minutes(opening_line(lab), lab) if lab else 0,
        machine=_machine(line),
    )


def before(number: str, *, root: Path = ROOT) -> tuple[str, ...]:
    """The modules that come before one, as its walkthrough names them; none for "nothing".

    Raises:
        MinutesError: there is no such walkthrough, or it does not open with a bold line.
    """
    walkthrough = _notebook(number, "notebooks", root)
    if walkthrough is None:
        raise MinutesError(f"There is no module {number!r}.")
    found = _BEFORE.search(opening_line(walkthrough))
    named = re.findall(r"\d\d", found[1]) if found else []
    if found and re.search(r"\d\d to \d\d", found[1]):
        first, last = named
        return tuple(f"{one:02}" for one in range(int(first), int(last) + 1))
    return tuple(named)


def modules(*, root: Path = ROOT) -> list[str]:
    """The modules that have a walkthrough: ["00", "01", ...]."""
    return sorted({file.name[:2] for file in (root / "notebooks").glob("[0-9][0-9]_*.ipynb")})


def opening_line(notebook: Path) -> str:
    """What is in bold in the first text cell that has bold text, on one line.

    Raises:
        MinutesError: the file is damaged, or has no bold text.
    """
    try:
        there = notebook.stat()
        return _opening_line(notebook, there.st_mtime_ns, there.st_size)
    except OSError as error:
        raise MinutesError(f"{_place(notebook)} cannot be read as a notebook.") from error


@functools.lru_cache(maxsize=64)  # a notebook has megabytes of outputs, and is asked twice
def _opening_line(notebook: Path, _changed: int, _size: int) -> str:
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        texts = ["".join(one["source"]) for one in cells if one["cell_type"] == "markdown"]
    except (ValueError, LookupError, TypeError) as error:
        raise MinutesError(f"{_place(notebook)} cannot be read as a notebook.") from error
    for text in texts:
        if bold := _BOLD.search(text):
            return " ".join(bold[1].split())
    raise MinutesError(f"{_place(notebook)} does not open with a bold line that has its minutes.")


def _minutes(line: str, notebook: Path) -> int:
    found = _MINUTES.match(line)
    if not found:
        raise MinutesError(f"{_place(notebook)} opens with {line!r}, which has no minutes.")
    return int(found[1])


def _machine(line: str) -> int:
    """Minutes of the machine's; "less than one" counts as one, and nothing said as none."""
    found = _MACHINE.search(line)
    if not found:
        return 0
    word = found[1] or found[2]
    return int(word) if word.isdigit() else 1


def _notebook(number: str, folder: str, root: Path) -> Path | None:
    # A number, and not what a glob would take for a pattern.
    if not re.fullmatch(r"\d\d", number):
        return None
    return next(iter(sorted((root / folder).glob(f"{number}_*.ipynb"))), None)


def _place(notebook: Path) -> str:
    return f"{notebook.parent.name}/{notebook.name}"
