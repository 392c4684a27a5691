"""`course judge`: what a language-model judge is worth, beside cheaper scorers, against labels.

All are measured on the second half of the labelled answers. The threshold of the word overlap was
chosen on the first half; the judge had no such help.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from helpers.evaluate.agreement import Agreement, agreement, auc
from helpers.evaluate.estimate import Estimate
from helpers.evaluate.groundedness import THRESHOLD, groundedness
from helpers.evaluate.judge import Judge, Progress, judge_all, lean_all
from helpers.evaluate.labelled import Labelled, halves, labelled_answers
from helpers.evaluate.proportion import Proportion


@dataclass(frozen=True)
class Row:
    """One scorer against the labels "grounded".

    `unjudged` answers got no verdict (nothing to judge, or an unusable reply) and are in no
    figure. `area` is None for a scorer that only says yes or no.
    """

    scorer: str
    agreement: Agreement
    area: Estimate | None
    unjudged: int


def cheap_rows(answers: Sequence[Labelled]) -> list[Row]:
    """Scorers that need no model: always yes, no foreign number or name, and word overlap."""
    found = [groundedness(each.answer, each.source, each.question) for each in answers]
    known = [None if g is None else not g.mismatch for g in found]
    kept = [(g.overlap, a.grounded) for g, a in zip(found, answers, strict=True) if g is not None]
    area = auc([overlap for overlap, _ in kept], [label for _, label in kept])
    overlaps = [None if g is None else g.overlap >= THRESHOLD for g in found]
    return [
        _row("always yes", [True] * len(answers), answers),
        _row("no foreign number or name", known, answers),
        replace(_row(f"word overlap of at least {THRESHOLD:g}", overlaps, answers), area=area),
    ]


def judge_rows(
    judge: Judge, answers: Sequence[Labelled], *, progress: Progress = iter
) -> list[Row]:
    """The judge's verdicts, and its lean to yes where the model gives probabilities.

    Raises what the model raises, and ValueError when no reply could be used.
    """
    verdicts = [said.accepted for said in judge_all(judge, answers, progress=progress)]
    rows = [_row("judge, verdict with reason", verdicts, answers)]
    leans = lean_all(judge, answers, progress=progress)
    kept = [(p, a.grounded) for p, a in zip(leans, answers, strict=True) if p is not None]
    if not kept:
        return rows
    yes = [None if lean is None else lean >= 0.5 for lean in leans]
    area = auc([lean for lean, _ in kept], [label for _, label in kept])
    return [*rows, replace(_row("judge, first word yes or no", yes, answers), area=area)]


def _row(scorer: str, accepted: Sequence[bool | None], answers: Sequence[Labelled]) -> Row:
    kept = [(v, a.grounded) for v, a in zip(accepted, answers, strict=True) if v is not None]
    if not kept:
        raise ValueError(f"{scorer}: no reply could be used.")
    found = agreement([verdict for verdict, _ in kept], [label for _, label in kept])
    return Row(scorer, found, None, len(accepted) - len(kept))


def as_text(rows: Sequence[Row]) -> str:
    """The table, and what follows from it."""
    lines = [f"{'scorer':<31}{'agreed':<21}{'kappa':<21}{'sens.':<8}{'spec.':<8}area"]
    for row in rows:
        found = row.agreement
        lines.append(
            f"{row.scorer:<31}{_percent(found.agreed):<21}{_interval(found.kappa):<21}"
            f"{_counts(found.sensitivity):<8}{_counts(found.specificity):<8}"
            f"{'-' if row.area is None else _interval(row.area)}"
        )
    useless = [row.scorer for row in rows if not row.agreement.informative]
    lines += ["", "Not beyond doubt better than chance: " + ("; ".join(useless) or "none") + "."]
    return "\n".join(lines)


def _percent(proportion: Proportion) -> str:
    return str(proportion).rpartition(" ")[0]


def _counts(proportion: Proportion) -> str:
    return f"{proportion.successes}/{proportion.total}"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The table as plain data."""
    return [asdict(row) | {"informative": row.agreement.informative} for row in rows]


def command(argv: Sequence[str]) -> int:
    """Run `course judge`."""
    parser = argparse.ArgumentParser(
        prog="course judge",
        description="Measure the model of COURSE_MODEL as a judge of groundedness, against "
        "labelled answers and beside cheaper scorers. On the local model it takes three minutes on "
        "an idle two-core machine, and up to nine on a busy one.",
    )
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    options = parser.parse_args(argv)
    _, answers = halves(labelled_answers())
    rows = cheap_rows(answers) + judge_rows(Judge(), answers, progress=_bar)
    print(json.dumps(as_json(rows), indent=1) if options.json else as_text(rows))
    return 0


def _bar(answers: Sequence[Labelled]) -> Any:
    from tqdm import tqdm

    return tqdm(answers, unit="answer", leave=False)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"judge": command}
