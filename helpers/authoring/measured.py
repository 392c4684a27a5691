"""The table of `course style`: what each walkthrough measures, and what it does not call yet."""

from collections.abc import Sequence
from pathlib import Path

from helpers.authoring.editions import generate, stems
from helpers.authoring.limits import REBUILT, breaks, limits_of
from helpers.authoring.names_called import missing
from helpers.authoring.style import measure


class NoWalkthrough(LookupError):  # noqa: N818 - it reads as what it is
    """No walkthrough has this name; the message says which there are."""


def picked(root: Path, wanted: Sequence[str]) -> list[str]:
    """The walkthroughs that these numbers or names mean; none given means all.

    Raises:
        NoWalkthrough: a name fits none.
    """
    there = stems(root / "notebooks/src", "*.py")
    found: list[str] = []
    for name in wanted:
        fitting = [stem for stem in there if Path(name).stem in (stem, stem[:2])]
        if not fitting:
            numbers = ", ".join(stem[:2] for stem in there) or "none"
            raise NoWalkthrough(f"No walkthrough is called {name!r}. There are: {numbers}.")
        found += [stem for stem in fitting if stem not in found]
    return found if wanted else there


def table(root: Path, chosen: Sequence[str]) -> tuple[list[list[str]], bool]:
    """Rows of the table, header and limits first, and whether all is as it must be today.

    A value that breaks a limit of the style page has the word "low" or "high" behind it.

    Raises:
        SourceError: a source breaks the format.
    """
    head = ["", *(limit.name for limit in REBUILT), "not called"]
    allowed = ["limit", *(limit.allowed for limit in REBUILT), ""]
    rows, good = [head, allowed], True
    for stem in chosen:
        module = stem[:2]
        notebook = generate(root, "walkthrough", stem)
        style, uncalled = measure(notebook), missing(module, notebook)
        own = {limit.name: limit for limit in limits_of(module)}
        cells = [module]
        for limit in REBUILT:
            mark = own[limit.name].broken(style) if limit.name in own else ""
            cells.append(f"{limit.form.format(limit.of(style))} {mark}".rstrip())
        rows.append([*cells, ", ".join(uncalled)])
        good &= not breaks(style, limits_of(module)) and not uncalled
    return rows, good
