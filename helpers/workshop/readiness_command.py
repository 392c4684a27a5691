"""`course workshop readiness`: who of a room will have trouble, and with what."""

import argparse
import json
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from helpers.columns import aligned
from helpers.machine_report import lock_digest
from helpers.paths import ROOT
from helpers.workshop.readiness import FolderError, Row, by_problem, printable, read
from helpers.workshop.readiness_advice import ADVICE, target_of


def run(argv: Sequence[str]) -> int:
    """Read a folder of reports; 0 all are ready, 1 some are not, 2 bad use."""
    parser = argparse.ArgumentParser(
        prog="course workshop readiness",
        description="Read the reports that participants made with `course doctor --report`: who "
        "will have trouble, and with what. A file's name says whose it is. Every file is named, "
        "also one that is no report.",
        epilog="Sizes are in MB (1,000,000 bytes). Exit status: 0 all are ready, 1 some are not, "
        "2 bad use.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the folder of the reports")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    options = parser.parse_args(argv)
    try:
        rows, passed = read(options.folder, lock_digest(ROOT))
    except FolderError as error:
        print(f"course workshop readiness: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(as_json(rows, passed), indent=1))
    else:
        print(as_text(rows, passed))
    return int(any(row.state != "ready" for row in rows))


def as_json(rows: Sequence[Row], passed: Sequence[str]) -> dict[str, object]:
    """The table as `--json` prints it."""
    return {
        "counts": dict(Counter(row.state for row in rows)),
        "files": [
            {
                "file": row.file,
                "state": row.state,
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


def as_text(rows: Sequence[Row], passed: Sequence[str]) -> str:
    """The table for a terminal: who, then the problems with what to do."""
    count = Counter(row.state for row in rows)
    words = "file" if len(rows) == 1 else "files"
    lines = [
        f"{len(rows)} {words}: {count['ready']} ready, {count['trouble']} with trouble, "
        f"{count['unreadable']} that cannot be read as a report.",
        "",
    ]
    order = {"unreadable": 0, "trouble": 1, "ready": 2}
    table = [["file", "state", "machine", "problems"]]
    for row in sorted(rows, key=lambda row: order[row.state]):
        said = "; ".join(f"{found.name}: {found.detail}" for found in row.problems)
        table.append([row.file, row.state, _machine(row), textwrap.shorten(said, 160)])
    lines += aligned(table)
    groups = by_problem(rows)
    if groups:
        lines += ["", "Problems, the most frequent first:"]
    for name, having in groups.items():
        lines += ["", f"{name}: {len(having)} of {len(rows)}"]
        lines.append(f"    {', '.join(row.file for row in having)}")
        lines.append(f"    What to do: {_advice(name, having)}")
    if stick := _stick(rows):
        lines += ["", f"A stick for these machines: {stick}"]
    if passed:
        lines += ["", f"Passed over, as left by a system: {', '.join(passed)}"]
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
    return next(filter(None, said), "Ask what `course doctor` says there.")


def _stick(rows: Sequence[Row]) -> str:
    """The command that makes a bundle for the machines of the reports; "" where there is none."""
    machines = [row.report.machine.model_dump() for row in rows if row.report]
    targets = [target for target in map(target_of, machines) if target]
    if not targets:
        return ""
    platforms, pythons = (" ".join(sorted(set(names))) for names in zip(*targets, strict=True))
    return f"course bundle DIR --platform {platforms} --python {pythons}"
