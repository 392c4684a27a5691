"""`course ship-check`: the report, the statements of people, and the risks that they accept."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from helpers.evaluate import evidence as files
from helpers.evaluate.accept import in_words, propose
from helpers.evaluate.acceptance import AcceptanceError, save, withdraw
from helpers.evaluate.checklist import CHECKLIST, STATE_COMMAND, item
from helpers.evaluate.ship_check import last_release_of, ship_check
from helpers.evaluate.ship_report import as_json, as_text
from helpers.evaluate.version import current_version


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="course ship-check",
        description="Decide from the evidence whether the agent may be shipped. The exit status "
        "is 0 for go, with or without accepted risks, and 1 for no-go.",
    )
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--json", action="store_true", help="print the report as JSON")
    stated = ", ".join(each.name for each in CHECKLIST if each.stated)
    one.add_argument(
        "--state",
        nargs=2,
        metavar=("ITEM", "TEXT"),
        help=f"record what a person states ({stated}; regression before the first release)",
    )
    one.add_argument(
        "--accept",
        nargs=2,
        metavar=("ITEM", "REASON"),
        help="accept the risk of an item that has failed; it lapses with another version, a worse "
        "figure or another missed threshold",
    )
    one.add_argument("--withdraw", metavar="ITEM", help="no longer accept the risk of an item")
    parser.add_argument("--by", metavar="NAME", help="who states or accepts it")
    parser.add_argument(
        "--until",
        metavar="YYYY-MM-DD",
        help="the last day on which the acceptance counts (UTC), at most 90 days on",
    )
    parser.add_argument(
        "--yes", action="store_true", help="accept without being asked; needed without a terminal"
    )
    return parser


def command(argv: Sequence[str]) -> int:
    """Run `course ship-check`."""
    parser = _parser()
    options = parser.parse_args(argv)
    if bool(options.state or options.accept) != bool(options.by):
        parser.error(
            "--state and --by belong together, and so do --accept, --by and --until: a statement "
            "and an accepted risk need their person"
        )
    if bool(options.accept) != bool(options.until) or (options.yes and not options.accept):
        parser.error("--accept needs --until, and --until and --yes belong to --accept")
    if options.state:
        return _state(parser, *options.state, by=options.by)
    if options.accept:
        name, reason = options.accept
        return _accept(parser, name, reason, by=options.by, until=options.until, yes=options.yes)
    if options.withdraw is not None:
        return _withdraw(parser, options.withdraw)
    report = ship_check()
    print(json.dumps(as_json(report), indent=1) if options.json else as_text(report))
    return 0 if report.go else 1


def _accept(
    parser: argparse.ArgumentParser, name: str, reason: str, *, by: str, until: str, yes: bool
) -> int:
    try:
        risk = propose(name, reason, by=by, until=until)
    except KeyError as problem:
        parser.error(str(problem.args[0]))
    except (files.FastMode, AcceptanceError) as problem:
        return _refused(str(problem))
    print(in_words(risk))
    if not (yes or _confirmed(name)):
        return _refused("Nothing was accepted.")
    print(f"Accepted: {save(risk)}")
    return 0


def _confirmed(name: str) -> bool:
    """Whether the person at the terminal types the item's name; without a terminal, no."""
    if not sys.stdin.isatty():
        print("There is no terminal to ask at: add --yes to accept it.", file=sys.stderr)
        return False
    try:
        return input("Type the item's name to accept it: ").strip() == name
    except EOFError:
        return False


def _withdraw(parser: argparse.ArgumentParser, name: str) -> int:
    try:
        kept = withdraw(item(name).name)
    except KeyError as problem:
        parser.error(str(problem.args[0]))
    except AcceptanceError as problem:
        return _refused(str(problem))
    print(f"Withdrawn; a dated copy is kept: {kept}")
    return 0


def _refused(problem: str) -> int:
    print(f"course ship-check: {problem}", file=sys.stderr)
    return 1


def _state(parser: argparse.ArgumentParser, name: str, text: str, *, by: str) -> int:
    try:
        stated = item(name)
    except KeyError as problem:
        parser.error(str(problem.args[0]))
    first = stated.first_release_stated and last_release_of(current_version()) == (None, "")
    if not (stated.stated or first):
        parser.error(f"{stated.title} has to be measured: {stated.command}")
    try:
        file = files.state(name, text, by=by, command=STATE_COMMAND.format(item=name))
    except (files.FastMode, ValueError) as problem:
        return _refused(str(problem))
    print(f"Stated by {by}, for version {current_version().digest}: {file}")
    return 0


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"ship-check": command}
