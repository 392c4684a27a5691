"""The report of `course ship-check`, as text for a terminal and as plain data."""

import textwrap
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, get_args

from helpers.evaluate.checklist import Finding, Report, Status, missed
from helpers.evaluate.version import IN_WORDS

_WIDTH: Final = 100


def as_text(report: Report, *, now: datetime | None = None) -> str:
    """The report for a terminal: a table, the reasons item by item, and the decision."""
    now = now or report.decided or datetime.now(UTC)
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
    lines += [*_to_do(report), *_risks(report, now), "", _decision(report)]
    return "\n".join(lines)


def _decision(report: Report) -> str:
    """The last line: a go that rests on accepted risks is never called just a go."""
    counts = {s: sum(f.status == s for f in report.findings) for s in get_args(Status)}
    listed = ", ".join(f"{n} {s}" for s, n in counts.items() if n or s != "accepted")
    risks = counts["accepted"]
    under = f" with {risks} accepted risk{'s' if risks > 1 else ''}" if report.go and risks else ""
    return f"{'GO' if report.go else 'NO-GO'}{under}: {listed}."


def _risks(report: Report, now: datetime) -> list[str]:
    """Each accepted risk in full: by whom, until when, which figures, and why."""
    lines = ["", "Accepted risks:"] if report.accepted else []
    for finding in report.accepted:
        if (risk := finding.acceptance) is None:
            continue
        left = risk.days_left(now)
        lines += _wrapped(
            f"{finding.item.title}: {risk} ({left} day{'' if left == 1 else 's'} left), "
            f"for version {risk.digest}"
        )
        lines += [line for each in missed(finding) for line in _wrapped(f"- {each}", " " * 8)]
        lines += _wrapped(f"Reason: {risk.reason}", " " * 8)
    return lines


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
        lines.append("Only that release's answers are on record, without figures.")
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
    """The report as plain data: `go`, `accepted`, `version`, and one object for each item."""
    return {
        "go": report.go,
        "accepted": [each.item.name for each in report.accepted],
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
                "acceptance": None
                if each.acceptance is None
                else {
                    "by": each.acceptance.by,
                    "written": each.acceptance.written.isoformat(),
                    "until": each.acceptance.until.isoformat(),
                    "reason": each.acceptance.reason,
                    "version": each.acceptance.digest,
                    "missed": [str(miss) for miss in missed(each)],
                },
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
