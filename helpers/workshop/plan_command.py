"""`course workshop plan`."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.paths import ROOT


def run(argv: Sequence[str]) -> int:
    """Print or write a plan: 0 done, 1 modules do not fit or the disk refused, 2 bad use."""
    from helpers.course.minutes import MinutesError
    from helpers.outfile import OutError, named
    from helpers.workshop import plan_page
    from helpers.workshop.cells import SourceMissing
    from helpers.workshop.page import save, sheet
    from helpers.workshop.plan import BREAK, LONGEST_DAY, PATH, STRETCH, TooShortError, plan

    parser = argparse.ArgumentParser(
        prog="course workshop plan",
        description="Print a timed plan, from the modules' own minutes: what to show, what to let "
        "people do, breaks, a buffer of at least a tenth, what each part needs, and what to cut "
        "when you are late.",
        epilog=f"A break of {BREAK} minutes comes after at most {STRETCH} minutes of work. A plan "
        f"of more than {LONGEST_DAY} minutes has several days: 720 minutes are two. Without "
        f"--modules, the plan takes as many as fit well, in the order {', '.join(PATH)}. Exit "
        "status: 0 done, 1 the modules do not fit or the file cannot be written, 2 bad use.",
    )
    parser.add_argument(
        "--minutes",
        type=_minutes,
        required=True,
        metavar="N",
        help="the workshop's length in minutes, breaks included: 90, 180, 360, 720 or any other "
        "whole number from 45",
    )
    parser.add_argument(
        "--modules",
        type=module_list,
        metavar="01,03",
        help="the modules' numbers, separated by commas",
    )
    parser.add_argument(
        "--out",
        type=named(".md", ".html"),
        metavar="FILE",
        help="write to this new file: Markdown in .md, a page in .html",
    )
    options = parser.parse_args(argv)
    out: Path | None = options.out
    try:
        made = plan(options.minutes, options.modules, root=ROOT)
        text = plan_page.markdown(made, root=ROOT)
        if out is None:
            print(text, end="")
            return 0
        html = out.suffix.lower() == ".html"
        save(out, sheet(plan_page.title(made), text) if html else text)
    except SourceMissing as problem:
        return _failed(problem, 2)
    except (TooShortError, MinutesError, OutError) as problem:
        return _failed(problem, 1)
    print(f"Wrote {out}.")
    return 0


def _minutes(text: str) -> int:
    from helpers.workshop.plan import SHORTEST

    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < SHORTEST:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number of minutes from {SHORTEST} to 999999"
        )
    return int(text)


def module_list(text: str) -> list[str]:
    """The `type=` of an option that takes modules: "1,03" is ["01", "03"]."""
    numbers = [one.strip() for one in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,2}", one) for one in numbers):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of modules: write their numbers with commas, such as 01,03"
        )
    return [one.zfill(2) for one in numbers]


def _failed(problem: Exception, status: int) -> int:
    print(f"course workshop plan: {problem}", file=sys.stderr)
    return status
