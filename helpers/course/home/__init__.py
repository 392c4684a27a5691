"""What a learner takes home: the programs of the walkthroughs, in a project of their own.

- `programs/`: made by `course build` from the cells that walkthroughs mark with `app="..."`
- `templates/`: the other files of the project, as they are, or with blanks to fill (`.j2`)
- `project`: puts both into the folder that `course new` is given
- `requirements`: which packages, in which versions, those files import

No file of programs and templates imports `helpers`: they are modules of the learner's project,
where they import each other by their plain names.
"""

from pathlib import Path

_HERE = Path(__file__).resolve().parent
PROGRAMS = _HERE / "programs"
TEMPLATES = _HERE / "templates"
RUFF = _HERE / "ruff.toml"
"""The linter's settings for both: the course's own, where the files are modules of one project."""

_WRITTEN = "# Written by `course build` from "


def header(source: str) -> str:
    """The first line of a program that is made from `source` ("notebooks/src/01_topic.py")."""
    return f"{_WRITTEN}{source}: edit it there.\n"


def taken_home(program: str) -> str:
    """A program's text for the learner's project, where no source and no build are."""
    first, _, rest = program.partition("\n")
    if not first.startswith(_WRITTEN):
        return program
    stem = first.removeprefix(_WRITTEN).partition(":")[0].rpartition("/")[2].removesuffix(".py")
    return f"# From the course's walkthrough {stem}. It is yours to change.\n{rest}"
