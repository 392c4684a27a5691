"""`course workshop message`: what to write to the participants before the day.

Commands, sizes, Pythons and platforms are README's own: nothing here can differ from it.
"""

import argparse
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from helpers.course.minutes import before
from helpers.paths import ROOT
from helpers.workshop.plan_command import module_list

# So many days before the workshop the reports are due: time to help those who have trouble.
DAYS_BEFORE = 3
INDENT = "    "


class MessageError(Exception):
    """The message cannot be made of this; the sentence says what to do."""


@dataclass(frozen=True)
class Readme:
    """What README says that participants need to know.

    Attributes:
        clone: the two lines that fetch the course and enter its folder.
        stick: the command that installs from a stick.
        needs: what a machine needs, a sentence.
        get: how to get that, a line for each system.
        download_mb: of the learner's lock, such as "1,234".
        disk_mb: of the same, such as "1,730 to 1,935".
        impossible: the platforms that the course cannot run on.
        modules: number to title.
        programs: what modules need beyond the set-up, by number.
    """

    clone: str
    stick: str
    needs: str
    get: tuple[str, ...]
    download_mb: str
    disk_mb: str
    impossible: str
    modules: dict[str, str]
    programs: dict[str, str]


def read_readme(path: Path = ROOT / "README.md") -> Readme:
    """Read README.

    Raises:
        MessageError: it lacks a part that the message is made from.
    """
    text = path.read_text("utf-8")
    return Readme(
        clone=_one(r"^git clone .+\ncd \S+$", text, "the clone command"),
        stick=_one(r"^ *(python3 \S+start\.py)$", text, "the command for a stick"),
        get=_get(text),
        needs=_one(r"^You need (git and Python [^,]+),", text, "what is needed"),
        download_mb=_one(r"^\| the learner's lock.*?\| ([\d,]+) \|", text, "the download's size"),
        disk_mb=_one(r"^\| the learner's lock.*?\| [\d,]+ \| ([^|]+?) \|", text, "the disk's size"),
        impossible=_one(r"^\| ([^|]+?) \| not possible", text, "the platforms"),
        modules=dict(re.findall(r"^\| (\d\d) \| \[?([^\]|]+?)[\]|]", text, flags=re.MULTILINE)),
        programs=_programs(text.partition("## Platforms")[2].partition("\n## ")[0]),
    )


def _one(pattern: str, text: str, what: str) -> str:
    found = re.search(pattern, text, flags=re.MULTILINE)
    if found is None:
        raise MessageError(f"README.md does not say {what} where this command looks for it.")
    return found[1] if found.re.groups else found[0]


def _get(text: str) -> tuple[str, ...]:
    lines = re.findall(r"^- \*\*(Windows|macOS|Linux)\*\*: (.+(?:\n  .+)*)", text, re.MULTILINE)
    if not lines:
        raise MessageError("README.md does not say how to get git and Python.")
    return tuple(f"{system}: {' '.join(how.split())}" for system, how in lines)


def _programs(text: str) -> dict[str, str]:
    """README's sentences on the programs of a module: "In module 07, ...", "Module 08 runs ..."."""
    parts = re.split(r"(?=\b(?:In module|Module) \d\d\b)", " ".join(text.split()))
    return {re.findall(r"\d\d", part)[0]: part.strip() for part in parts[1:]}


def message(
    readme: Readme,
    *,
    day: date,
    today: date,
    modules: Sequence[str] = (),
    repository: str = "",
    to: str = "",
    stick: bool = False,
) -> str:
    """The message, as plain text.

    Args:
        readme: what README says.
        day: of the workshop.
        today: the reports are due `DAYS_BEFORE` days before the workshop, or today.
        modules: the numbers of those that are taught; all where none is named.
        repository: the address to clone from; README's placeholder where it is empty.
        to: where participants send their report; a placeholder where it is empty.
        stick: whether they install from a stick, made by `course bundle`.

    Raises:
        MessageError: README has no such module.
    """
    unknown = [number for number in modules if number not in readme.modules]
    if unknown:
        raise MessageError(
            f"there is no module {', '.join(unknown)}; there are {', '.join(readme.modules)}."
        )
    clone = re.sub(r"<address[^>]*>", repository, readme.clone) if repository else readme.clone
    due = max(today, day - timedelta(days=DAYS_BEFORE))
    taught = ", ".join(f"{number} {readme.modules[number]}" for number in modules)
    extra = [readme.programs[number] for number in modules if number in readme.programs]
    parts = [
        f"Subject: Workshop on {_spoken(day)}: please prepare your laptop by {_spoken(due)}",
        "Hello,",
        f"The workshop is on {_spoken(day)}. "
        + (
            f"We work on {'module' if len(modules) == 1 else 'modules'} {taught}. "
            if taught
            else ""
        )
        + _first(readme, modules)
        + "Everything runs on your own laptop, without a key and without a GPU. Please install the "
        + (
            "course before the day, from the stick that you get from us: this needs no network. "
            if stick
            else f"course at home: it downloads {readme.download_mb} MB, too much for a "
            "room's Wi-Fi when everyone does so at once. "
        )
        + f"It takes {readme.disk_mb} MB on disk.",
        f"You need {readme.needs}. These machines cannot run the course: {readme.impossible}. If "
        "yours is one of them, or you may not install programs on it, reply to this message.",
        "Run `git --version` and `python3 --version` (Windows: `py --version`) in a terminal. If "
        "one is not found, install it as follows, and open a new terminal:\n\n"
        + "\n".join(f"- {line}" for line in readme.get),
        "1. Install. In a terminal"
        + (
            ", go to the folder where you want the course. In this command, replace "
            f"/path/to/stick with the place of the stick:\n\n{_indented(readme.stick)}"
            if stick
            else ":\n\n" + _indented(f"{clone}\npython3 -m helpers lab")
        )
        + "\n\nOn Windows, write `py` for `python3`, or `py -3.12` where `py` starts a Python that "
        "is not one of those above. JupyterLab opens in your browser. If the set-up stops, its "
        "last sentence says what to do. Then run the same command again: it resumes.",
        "2. Check. Close JupyterLab (Ctrl-C in its terminal, then y), and run in "
        + ("the new folder production-agents" if stick else "the same folder")
        + ":\n\n"
        + _indented("python3 -m helpers doctor --report your-name.json")
        + "\n\nPut your own name in place of your-name. The command shows the report before it "
        "writes it: answer y to write it. The report says what your machine is, what the checks "
        "found, and what to do where one failed. It holds no personal data: your name is in the "
        "file's name alone. Make the report even if the set-up stopped.",
        f"3. Send the file to {to or '<where reports are sent>'} by {_spoken(due)}, even if a "
        "check failed: then there is time to help.",
        *(
            ["Some modules of this workshop can use more programs. They are optional.", *extra]
            if extra
            else []
        ),
        "On the day, before you leave, run `python3 -m helpers doctor` once more: each line says "
        "OK, or NO and what to do. Take your charger with you.",
    ]
    return "\n\n".join(parts) + "\n"


def _first(readme: Readme, modules: Sequence[str]) -> str:
    """What to work through before the day: the modules that those of the workshop build on."""
    built_on = sorted({one for number in modules for one in before(number)} - set(modules))
    if not built_on:
        return ""
    names = ", ".join(f"{number} {readme.modules[number]}" for number in built_on)
    theirs = "its walkthrough" if len(built_on) == 1 else "their walkthroughs"
    return f"For this you need {names}: please work through {theirs} before the day. "


def _indented(commands: str) -> str:
    return textwrap.indent(commands, INDENT)


def _spoken(day: date) -> str:
    names = "January February March April May June July August September October November December"
    days = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"  # whatever the locale is
    month = names.split()[day.month - 1]
    return f"{days.split()[day.weekday()]} {day.day} {month} {day.year}"


def run(argv: Sequence[str], today: date | None = None) -> int:
    """Print the message; 0 printed, 1 README cannot be read, 2 bad use."""
    parser = argparse.ArgumentParser(
        prog="course workshop message",
        description="Print the message to participants: how to install, how to check the machine, "
        "where to send the report. Commands and sizes (1 MB is 1,000,000 bytes) come from README.",
        epilog="Exit status: 0 printed, 1 README cannot be read, 2 bad use.",
    )
    parser.add_argument(
        "--date", required=True, type=_day, help="the day of the workshop, such as 2027-01-15"
    )
    parser.add_argument(
        "--modules",
        type=module_list,
        default=[],
        metavar="01,03",
        help="the modules' numbers, separated by commas",
    )
    parser.add_argument("--to", default="", help="where participants send their report")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--repository", default="", help="the address to clone the course from")
    source.add_argument(
        "--stick",
        action="store_true",
        help="participants install from a stick, made by `course bundle`",
    )
    options = parser.parse_args(argv)
    today = today or date.today()
    if options.date < today:
        parser.error(f"--date {options.date} is in the past: give the day of the workshop")
    try:
        readme = read_readme()
    except (MessageError, OSError) as error:
        print(f"course workshop message: {error}", file=sys.stderr)
        return 1
    try:
        text = message(
            readme,
            day=options.date,
            today=today,
            modules=list(dict.fromkeys(options.modules)),
            repository=options.repository.strip(),
            to=options.to.strip(),
            stick=options.stick,
        )
    except MessageError as error:
        print(f"course workshop message: {error}", file=sys.stderr)
        return 2
    print(text, end="")
    wanted = ["to"] if options.stick else ["repository", "to"]
    blanks = [name for name in wanted if not getattr(options, name).strip()]
    if blanks:
        hint = " and ".join(f"--{name}" for name in blanks)
        print(f"Before you send it, replace what is in <...>, or give {hint}.", file=sys.stderr)
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date: write year-month-day, such as 2027-01-15"
        ) from None
