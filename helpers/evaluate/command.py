"""`course eval`: how well the agent answers the golden questions."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helpers.columns import aligned
from helpers.evaluate.proportion import Proportion

if TYPE_CHECKING:
    from helpers.shop.questions import Part

_PARTS = ("dev", "heldout", "heldout2")
_EXPECTED = {"input_tokens": 600, "output_tokens": 80}
"""Tokens of one call of a hosted model with the agent's tools bound, for the estimate."""
_CALLS_A_QUESTION = 2


def evaluate(argv: Sequence[str]) -> int:
    """Score the agent on golden questions; 0 when every question was answered, else 1."""
    parser = argparse.ArgumentParser(
        prog="course eval",
        description="Score the support agent on golden questions. On the local model, dev takes "
        "three minutes and heldout five on an idle two-core machine, and up to three times as long "
        "on a busy one. Look at the held-out parts rarely, and tune on dev and lab.",
    )
    parser.add_argument("--part", choices=_PARTS, default="dev", help="which questions (dev)")
    parser.add_argument(
        "--release",
        metavar="NAME",
        help="with --part heldout: record these answers, and this version's figures on file, as a "
        "release, for later comparisons",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    options = parser.parse_args(argv)
    if options.release and options.part != "heldout":
        parser.error("--release needs --part heldout: a release is compared on those questions")
    from helpers.evaluate.releases import ReleaseError, check_name
    from helpers.models.errors import ModelError

    try:
        if options.release:
            check_name(options.release)
        report = _measure(options.part, options.release)
    except (ModelError, ReleaseError) as problem:
        print(f"course eval: {problem}", file=sys.stderr)
        return 1
    print(json.dumps(report, ensure_ascii=False) if options.json else _as_text(report))
    return int(bool(report["errors"] or report["timeouts"]))


def _measure(part: "Part", release: str | None) -> dict[str, Any]:
    from tqdm import tqdm

    from helpers.agent import build_agent, fernhill_index
    from helpers.evaluate.eval_evidence import file_evidence, regression_lines
    from helpers.evaluate.evidence import fast_mode
    from helpers.evaluate.measures import as_data, as_lines, measure
    from helpers.evaluate.recall import WordSearch, by, extract, recall
    from helpers.evaluate.runs import run
    from helpers.evaluate.scores import score, score_answer
    from helpers.evaluate.summary import summarise
    from helpers.evaluate.version import current_version
    from helpers.models import bulk_run, chat_model
    from helpers.shop import documents, questions

    asked = questions(part)
    version = current_version()
    index = fernhill_index()
    with bulk_run(chat_model(), calls=_CALLS_A_QUESTION * len(asked), **_EXPECTED):
        runs = run(
            build_agent(),
            asked,
            progress=lambda some: tqdm(some, desc=f"{part}", unit="question", file=sys.stderr),
        )
    scores = [score(question, one) for question, one in zip(asked, runs, strict=True)]
    summary = summarise(scores, runs)
    words = WordSearch(documents())
    recalls = {
        f"{name}, first {k}": recall(search, asked, k)
        for name, search in (("the agent's index", by(index)), ("BM25", words.search))
        for k in (1, 3)
    }
    extracted = {
        kind: Proportion.of(
            score_answer(question, extract(index, question.question)).right
            for question in asked
            if question.kind == kind
        )
        for kind in ("single_fact", "conditional", "unanswerable")
    }
    model_name = os.environ.get("COURSE_MODEL", "").strip() or "local"
    others = measure(asked, runs, scores, model_name)
    notes: Sequence[str] = ("Evidence for the checklist is filed with --part heldout only.",)
    if part == "heldout" and not fast_mode():
        filed = file_evidence(
            asked,
            runs,
            scores,
            recalls["the agent's index, first 3"],
            model=model_name,
            command="course eval --part heldout",
            version=version,
            release=release,
        )
        compared = regression_lines(filed.regression) if filed.regression else []
        notes = (*compared, f"{len(filed.files)} files of evidence written.", *filed.notes)
    elif part == "heldout":
        notes = ("COURSE_FAST is on, so no evidence was filed.",)
    rows = [*summary.kinds, summary.all]
    return {
        "part": part,
        "version": version.digest,
        "questions": len(asked),
        "errors": summary.all.errors,
        "timeouts": summary.all.timeouts,
        "recall": {name: _figures(rate) for name, rate in recalls.items()},
        "kinds": [
            {
                "kind": row.kind,
                "questions": row.questions,
                "answers": _figures(row.answers),
                "extracted": _figures(extracted.get(row.kind, Proportion(0, 0))),
                "tools": _figures(row.tools),
                "arguments": _figures(row.arguments),
                "trajectories": _figures(row.trajectories),
                "refused": _figures(row.refused),
                "input_tokens": row.input_tokens,
                "output_tokens": row.output_tokens,
                "cpu_seconds": row.cpu_seconds,
            }
            for row in rows
        ],
        "refused_unanswerable": _figures(summary.refused_unanswerable),
        "refused_answerable": _figures(summary.refused_answerable),
        "measures": {**as_data(others), "text": as_lines(others)},
        "notes": list(notes),
    }


def _figures(rate: Proportion) -> dict[str, Any]:
    """A rate with its counts; `rate` and `interval` are None where there is nothing to count."""
    return {
        "right": rate.successes,
        "of": rate.total,
        "rate": rate.rate,
        "interval": rate.interval,
        "text": str(rate),
    }


_COLUMNS: Mapping[str, str] = {
    "answers": "right answers",
    "extracted": "extracted sentence",
    "tools": "tool choice",
    "arguments": "arguments",
    "trajectories": "trajectory",
}


def _as_text(report: Mapping[str, Any]) -> str:
    rows = [["kind", *_COLUMNS.values()]]
    rows += [[row["kind"], *(row[name]["text"] for name in _COLUMNS)] for row in report["kinds"]]
    everything = report["kinds"][-1]
    lines = [
        f"{report['questions']} questions of {report['part']}, version {report['version']}; "
        "rates with 95% intervals (Wilson) and counts",
        "",
        *aligned(rows),
        "",
        *aligned([
            ["right document, " + name, rate["text"]] for name, rate in report["recall"].items()
        ]),
        *aligned([
            ["refused, unanswerable", report["refused_unanswerable"]["text"]],
            ["refused, answerable", report["refused_answerable"]["text"]],
        ]),
        f"errors {report['errors']}, timeouts {report['timeouts']} (in no rate)",
    ]  # fmt: skip
    if everything["input_tokens"] is not None:
        lines.append(
            f"a question: {everything['input_tokens']:.0f} tokens read, "
            f"{everything['output_tokens']:.0f} written, "
            f"{everything['cpu_seconds']:.2f} CPU seconds"
        )
    return "\n".join([*lines, *report["measures"]["text"], *report["notes"]])


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"eval": evaluate}
