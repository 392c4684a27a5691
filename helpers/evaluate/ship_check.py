"""`course ship-check`: go or no-go, from the files of evidence."""

import argparse
import json
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_args

from helpers.evaluate import evidence as files
from helpers.evaluate.checklist import (
    CHECKLIST,
    STATE_COMMAND,
    Before,
    Finding,
    Report,
    Status,
    assess_all,
    item,
)
from helpers.evaluate.packed import version_and_time
from helpers.evaluate.releases import Release, ReleaseError, last_release
from helpers.evaluate.version import IN_WORDS, Version, current_version


def ship_check(
    version: Version | None = None, *, now: datetime | None = None, home: Path | None = None
) -> Report:
    """Decide every item of the checklist for a version, by default the agent as it is now.

    Reads files only. Evidence that cannot be read counts as not assessed.

    Args:
        version: what is about to be shipped.
        now: the moment of the decision, by default the present.
        home: a folder like `.course`, by default your own. Of a packed one (it has a
            `release.json`) version and moment are by default those of the package.

    Raises PackError when the home's `release.json` cannot be read.
    """
    version, now = version_and_time(home, version, now)
    last, problem = _last_release(version, home)
    before = None
    if last is not None:
        changed = last.version.changed(version)
        before = Before(last.name, last.recorded, changed, last.figures)
    report = assess_all(
        {each.name: _read(each.name, home) for each in CHECKLIST},
        version,
        now=now,
        first_release=last is None and not problem,
        before=before,
    )
    return replace(report, note=problem)


def _last_release(version: Version, home: Path | None = None) -> tuple[Release | None, str]:
    """The last release of another agent, and what is wrong with a record that cannot be read."""
    try:
        return last_release(version, home), ""
    except ReleaseError as problem:
        return None, str(problem)


def _read(name: str, home: Path | None) -> files.Evidence | files.EvidenceError | None:
    try:
        return files.read(name, home)
    except files.EvidenceError as problem:
        return problem


_STATUSES: Final = get_args(Status)
_WIDTH: Final = 100


def as_text(report: Report, *, now: datetime | None = None) -> str:
    """The report for a terminal: a table, the reasons item by item, and the decision."""
    now = now or datetime.now(UTC)
    lines = [
        f"Version {report.version.digest} of the agent, of what guards it and of what serves it.",
        *_changes(report),
        "",
    ]
    lines += [
        f"{each.item.title:<36}{each.status.upper():<14}{each.item.owner}"
        for each in report.findings
    ]
    for each in report.findings:
        lines += ["", f"{each.item.title}: {each.status}", *_wrapped(f"Why: {each.item.why}")]
        for reason in each.reasons:
            lines += _wrapped(f"- {reason}")
        lines += _wrapped(_source(each, now))
    lines += _to_do(report)
    counts = [f"{sum(f.status == s for f in report.findings)} {s}" for s in _STATUSES]
    lines += ["", f"{'GO' if report.go else 'NO-GO'}: {', '.join(counts)}."]
    return "\n".join(lines)


def _changes(report: Report) -> list[str]:
    """What has changed since the last release, part by part."""
    if report.note:
        return [f"The releases cannot be read. {report.note}"]
    if (before := report.before) is None:
        return [
            "There is no earlier release to compare with. When you ship this one, record it:",
            "    course eval --part heldout --release NAME",
        ]
    lines = [f"Changed since release {before.release} ({before.recorded:%Y-%m-%d}):"]
    lines += [f"    {part:<12}{IN_WORDS.get(part, part)}" for part in before.changed]
    if not before.figures:
        lines.append("Only the answers of that release are on record, no other figures.")
    return lines


def _to_do(report: Report) -> list[str]:
    """The commands that are left, each once, with the items that wait for it."""
    items: dict[str, list[str]] = {}
    for each in report.findings:
        if each.to_do is not None:
            first = " (failed: repair it first)" if each.status == "failed" else ""
            items.setdefault(each.to_do, []).append(f"{each.item.title}{first}")
    lines = ["", "To do:"] if items else []
    for command, waiting in items.items():
        lines += [f"    {command}", *_wrapped(", ".join(waiting), " " * 8)]
    return lines


def _source(finding: Finding, now: datetime) -> str:
    """Where the evidence is from, with the module where it is to come from."""
    found = finding.evidence
    if found is None:
        return f"Evidence: none yet ({finding.item.name}.json, module {finding.item.module})."
    kind = "a person's statement" if found.stated else f"measured by: {found.command}"
    days = max(0, (now - found.written).days)
    return f"Evidence: {finding.item.name}.json, {found.written:%Y-%m-%d}, {days} days old, {kind}"


def _wrapped(text: str, indent: str = " " * 4) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ")


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain data: `go`, `version`, `before`, and one object for each item."""
    return {
        "go": report.go,
        "version": report.version.digest,
        "parts": dict(report.version.parts),
        "before": None
        if report.before is None
        else {
            "release": report.before.release,
            "recorded": report.before.recorded.isoformat(),
            "changed": list(report.before.changed),
        },
        "items": [
            {
                "name": each.item.name,
                "title": each.item.title,
                "status": each.status,
                "reasons": list(each.reasons),
                "to_do": each.to_do,
                "why": each.item.why,
                "owner": each.item.owner,
                "module": each.item.module,
                "command": each.item.command,
                "thresholds": [str(threshold) for threshold in each.item.thresholds],
                "max_age_days": each.item.max_age,
                "kind": "statement" if each.item.stated else "measurement",
                "evidence": None
                if each.evidence is None
                else {
                    "file": f"{each.item.name}.json",
                    "written": each.evidence.written.isoformat(),
                    "version": each.evidence.version.digest,
                    "command": each.evidence.command,
                    "by": each.evidence.by,
                    "statement": each.evidence.statement,
                    "figures": {n: asdict(f) for n, f in each.evidence.figures.items()},
                },
            }
            for each in report.findings
        ],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="course ship-check",
        description="Decide from the evidence whether the agent may be shipped. The exit status "
        "is 0 for go and 1 for no-go.",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    stated = ", ".join(each.name for each in CHECKLIST if each.stated)
    parser.add_argument(
        "--state",
        nargs=2,
        metavar=("ITEM", "TEXT"),
        help=f"record what a person states ({stated}; regression before the first release)",
    )
    parser.add_argument("--by", metavar="NAME", help="who states it")
    return parser


def command(argv: Sequence[str]) -> int:
    """Run `course ship-check`."""
    parser = _parser()
    options = parser.parse_args(argv)
    if bool(options.state) != bool(options.by):
        parser.error("--state and --by belong together: a statement needs its person")
    if options.state:
        return _state(parser, *options.state, by=options.by)
    report = ship_check()
    print(json.dumps(as_json(report), indent=1) if options.json else as_text(report))
    return 0 if report.go else 1


def _state(parser: argparse.ArgumentParser, name: str, text: str, *, by: str) -> int:
    try:
        stated = item(name)
    except KeyError as problem:
        parser.error(str(problem.args[0]))
    first = stated.first_release_stated and _last_release(current_version()) == (None, "")
    if not (stated.stated or first):
        parser.error(f"{stated.title} has to be measured: {stated.command}")
    try:
        file = files.state(name, text, by=by, command=STATE_COMMAND.format(item=name))
    except (files.FastMode, ValueError) as problem:
        print(f"course ship-check: {problem}", file=sys.stderr)
        return 1
    print(f"Stated by {by}, for version {current_version().digest}: {file}")
    return 0


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"ship-check": command}
