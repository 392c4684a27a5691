"""`course workshop readiness`: who of a room will have trouble, and with what."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from helpers import outfile
from helpers.columns import aligned
from helpers.machine_report import lock_digest
from helpers.paths import ROOT
from helpers.workshop.labs import GradeError
from helpers.workshop.readiness import FolderError, Row, by_problem, printable, read
from helpers.workshop.readiness_advice import ADVICE, target_of
from helpers.workshop.roster import Roster, read_roster


def run(argv: Sequence[str]) -> int:
    """Read a folder of reports; 0 all are ready, 1 some are not, 2 bad use."""
    parser = argparse.ArgumentParser(
        prog="course workshop readiness",
        description="Read the reports that participants made with `course doctor --report`, and "
        "say who will have trouble, and with what. The name of a file says whose it is; of several "
        "reports by one person, the newest counts. Every file is listed, even one that is not a "
        "report.",
        epilog="Sizes are in MB (1,000,000 bytes). Exit status: 0 everyone is ready, 1 some are "
        "not, or have sent nothing, 2 bad use.",
    )
    parser.add_argument(
        "folder", metavar="FOLDER", type=outfile.folder, help="the folder with the reports"
    )
    parser.add_argument(
        "--roster",
        metavar="FILE.csv",
        type=Path,
        help="the class, as `course grade --roster` reads it: also list those who sent nothing",
    )
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    options = parser.parse_args(argv)
    try:
        roster = read_roster(options.roster) if options.roster else None
        rows, passed = read(options.folder, lock_digest(ROOT), roster=roster)
    except (FolderError, GradeError) as error:
        print(f"course workshop readiness: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(as_json(rows, passed, roster), indent=1))
    else:
        print(as_text(rows, passed, roster))
    late = roster is not None and silent(rows, roster)
    return int(bool(late) or any(row.state not in ("ready", "older") for row in rows))


def silent(rows: Sequence[Row], roster: Roster) -> list[str]:
    """Who of the roster has sent nothing, not even a file that cannot be read."""
    sent = {row.person for row in rows if row.listed}
    return [one.shown for one in roster.people if printable(one.shown) not in sent]


def _strangers(rows: Sequence[Row], roster: Roster) -> list[str]:
    """The files of names that the roster does not have, with the nearest that it has."""
    told = []
    for row in rows:
        if row.person and not row.listed:
            near = roster.nearest(row.person)
            told.append(f"{row.file} (is it {near}?)" if near else row.file)
    return told


def as_json(
    rows: Sequence[Row], passed: Sequence[str], roster: Roster | None = None
) -> dict[str, object]:
    """The table as `--json` prints it."""
    return {
        "counts": dict(Counter(row.state for row in rows)),
        "sent_nothing": silent(rows, roster) if roster else None,
        "not_on_the_roster": [row.file for row in rows if row.person and not row.listed]
        if roster
        else None,
        "files": [
            {
                "file": row.file,
                "person": row.person,
                "state": row.state,
                "newer": row.newer or None,
                "machine": _machine(row),
                "problems": [
                    {"problem": found.name, "detail": found.detail} for found in row.problems
                ],
            }
            for row in rows
        ],
        "problems": [
            {
                "problem": name,
                "count": len(having),
                "files": [row.file for row in having],
                "what_to_do": _advice(name, having),
            }
            for name, having in by_problem(rows).items()
        ],
        "passed_over": list(passed),
    }


def as_text(rows: Sequence[Row], passed: Sequence[str], roster: Roster | None = None) -> str:
    """The table for a terminal: who, then the problems with what to do."""
    count = Counter(row.state for row in rows)
    words = "file" if len(rows) == 1 else "files"
    lines = [
        f"{len(rows)} {words}: {count['ready']} ready, {count['trouble']} with trouble, "
        f"{count['unreadable']} unreadable"
        + (f", {count['older']} older than another by the same person." if count["older"] else "."),
        "",
    ]
    if roster is not None:
        late, strangers = silent(rows, roster), _strangers(rows, roster)
        lines.append(
            f"Sent nothing: {len(late)} of {len(roster.people)} on the roster"
            + (f": {printable(', '.join(late))}" if late else ".")
        )
        if strangers:
            lines.append(f"Not on the roster: {printable(', '.join(strangers))}")
        lines.append("")
    order = {"unreadable": 0, "trouble": 1, "ready": 2, "older": 3}
    table = [["file", "state", "machine", "problems"]]
    for row in sorted(rows, key=lambda row: order[row.state]):
        said = f"{row.newer} is newer and counts" if row.newer else ""
        said = said or "; ".join(found.name for found in row.problems)
        table.append([row.file, row.state, _machine(row), said])
    lines += aligned(table)
    groups = by_problem(rows)
    if groups:
        lines += ["", "Problems, most frequent first:"]
    for name, having in groups.items():
        lines += ["", f"{name}: {len(having)} of {len(rows)}"]
        by_detail: dict[str, list[str]] = {}
        for row in having:
            detail = next(found.detail for found in row.problems if found.name == name)
            by_detail.setdefault(detail, []).append(row.file)
        lines += [f"    {', '.join(files)}: {detail}" for detail, files in by_detail.items()]
        lines.append(f"    What to do: {_advice(name, having)}")
    if stick := _stick(rows):
        lines += ["", f"To make a stick for these machines: {stick}"]
    if passed:
        lines += ["", f"Ignored, as files of the system: {', '.join(passed)}"]
    return "\n".join(lines)


def _machine(row: Row) -> str:
    if row.report is None:
        return "-"
    found = row.report.machine
    memory = f", {found.memory_mb / 1000:.0f} GB" if found.memory_mb else ""
    return printable(f"{found.system} {found.processor}, Python {found.python}{memory}")[:60]


def _advice(name: str, having: Sequence[Row]) -> str:
    """Our own advice; for a check that this version does not know, the first report's."""
    if name in ADVICE:
        return ADVICE[name]
    said = [found.advice for row in having for found in row.problems if found.name == name]
    return next(filter(None, said), "Ask them what `course doctor` says.")


def _stick(rows: Sequence[Row]) -> str:
    """The command that makes a bundle for the machines of the reports; "" where there is none."""
    machines = [row.report.machine.model_dump() for row in rows if row.report and not row.newer]
    targets = [target for target in map(target_of, machines) if target]
    if not targets:
        return ""
    platforms, pythons = (" ".join(sorted(set(names))) for names in zip(*targets, strict=True))
    return f"course bundle DIR --platform {platforms} --python {pythons}"
