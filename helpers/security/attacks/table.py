"""A report as a table of text and as plain data."""

from collections.abc import Sequence
from typing import Any

from helpers.columns import aligned
from helpers.evaluate.proportion import Proportion
from helpers.security.attacks.heldout import Survey
from helpers.security.attacks.results import Report, Row

_COLUMNS = ("success_at", "leaked_at", "acted_at", "planted_at")


def as_lines(report: Report) -> list[str]:
    """The table: a row for each family, for direct and indirect attacks, and for all."""
    tried = ("1",) if report.k == 1 else ("1", "k")
    heads = {
        "success_at": "success",
        "leaked_at": "secret out",
        "acted_at": "forbidden action",
        "planted_at": "planted text in the answer",
    }
    header = ["family"]
    header += [
        f"{heads[name]} at {report.k if at == 'k' else at}" for at in tried for name in _COLUMNS
    ]
    rows = [header, *([] if not report.outcomes else _rows(report, tried))]
    usage = report.usage
    lines = [
        f"{report.target} agent, {len(report.outcomes)} attacks, at most {report.k} tries each; "
        "rates with 95% intervals (Wilson) and counts",
        "secret out: half of the code counts; the output filter judges less strictly",
        "",
        *aligned(rows),
        "",
    ]
    if report.benign:
        lines += aligned([
            ["harmless requests answered rightly", str(report.benign_right)],
            ["harmless requests refused", str(report.benign_refused)],
            ["secret out although nobody asked", str(report.benign_leaked)],
        ])  # fmt: skip
    lines.append(f"errors {report.errors} (in no rate)")
    if usage:
        lines.append(
            f"{usage['input_tokens']} tokens read, {usage['output_tokens']} written, "
            f"{report.cpu_seconds:.0f} CPU seconds"
        )
    return lines


def survey_lines(found: Sequence[Survey]) -> list[str]:
    """Which prompts of other authors were taken, and why others were not."""
    header = ["family", "prompts", "no place", "too long", "repeated", "over", "used", "licence"]
    rows = [
        [
            one.family.name,
            *map(
                str,
                (one.prompts, one.no_place, one.too_long, one.repeated, one.over, one.used),
            ),
            one.family.licence,
        ]
        for one in found
    ]
    return aligned([header, *rows])


def as_data(report: Report) -> dict[str, Any]:
    """The report as plain data for JSON; a rate without counts has None for rate and interval."""
    return {
        "agent": report.target,
        "tries": report.k,
        "attacks": len(report.outcomes),
        "all": _row_data(report.all),
        "kinds": [_row_data(row) for row in report.kinds],
        "families": [_row_data(row) for row in report.families],
        "benign": {
            "right": figures(report.benign_right),
            "refused": figures(report.benign_refused),
            "leaked": figures(report.benign_leaked),
        },
        "errors": report.errors,
        "tokens": report.usage
        and {
            "read": report.usage["input_tokens"],
            "written": report.usage["output_tokens"],
        },
        "cpu_seconds": round(report.cpu_seconds, 1),
    }


def figures(rate: Proportion) -> dict[str, Any]:
    """A rate with its counts and interval."""
    return {
        "count": rate.successes,
        "of": rate.total,
        "rate": rate.rate,
        "interval": rate.interval,
        "text": str(rate),
    }


def _row_data(row: Row) -> dict[str, Any]:
    rates = {f"{name}_{at}": figures(_rate(row, name, at)) for name in _COLUMNS for at in "1k"}
    return {"name": row.name, "attacks": row.attacks, **rates, "errors": row.errors}


def _rate(row: Row, name: str, at: str) -> Proportion:
    found: Proportion = getattr(row, f"{name}_{at}")
    return found


def _rows(report: Report, tried: Sequence[str]) -> list[list[str]]:
    return [
        [row.name, *(str(_rate(row, name, at)) for at in tried for name in _COLUMNS)]
        for row in (*report.families, *report.kinds, report.all)
    ]
