"""`course cost`: what a right answer costs, way by way, and which tier earns its place."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from helpers.columns import aligned

if TYPE_CHECKING:
    from helpers.cost.frontier import Row, TierRow
    from helpers.cost.traffic import Part
    from helpers.cost.variants import Answered, Progress
    from helpers.evaluate.estimate import Estimate
    from helpers.evaluate.evidence import Figure
    from helpers.evaluate.proportion import Proportion
    from helpers.evaluate.version import Version
    from helpers.shop import Question

COMMAND = "course cost --part heldout"
_MICRO = 1_000_000


def cost(argv: Sequence[str]) -> int:
    """Print the frontier, or watch a running service; 0 when it could be done, else 1."""
    parser = argparse.ArgumentParser(
        prog="course cost",
        description="What a right answer costs in eight ways to answer, on 300 requests, some of "
        "which come often. Each wording is asked once and its answer kept: the first run on the "
        "local model takes ten minutes for dev and fifteen for heldout, later ones seconds. Tune "
        "on dev, and look at heldout rarely.",
    )
    parser.add_argument("--part", choices=("dev", "heldout"), default="dev", help="which (dev)")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--live", metavar="URL", help="watch what a running service spends")
    options = parser.parse_args(argv)
    if options.live:
        from helpers.cost.live import watch

        return watch(options.live)
    from helpers.cost.traffic import TrafficError, traffic
    from helpers.evaluate.stored import StoredRunError
    from helpers.models.errors import ModelError

    try:
        found = measure(options.part, traffic(options.part), progress=_bar)
    except (ModelError, StoredRunError, TrafficError) as problem:
        print(f"course cost: {problem}", file=sys.stderr)
        return 1
    print(json.dumps(found, ensure_ascii=False) if options.json else as_text(found))
    return 0


def _bar(keys: Iterable[str], name: str) -> Iterable[str]:
    from tqdm import tqdm

    return tqdm(list(keys), desc=name, unit="question", file=sys.stderr)


def measure(
    part: "Part",
    asked: Sequence["Question"],
    *,
    answers: "Mapping[str, Mapping[str, Answered]] | None" = None,
    progress: "Progress | None" = None,
) -> dict[str, Any]:
    """Ask what is not kept, replay the requests in every variant, and file the evidence.

    Args:
        part: "dev" or "heldout"; evidence is filed from heldout, and not in fast mode.
        asked: the requests, in order.
        answers: by `Variant.of` and wording, instead of asking.
        progress: may show a bar.
    """
    from helpers.cost import frontier
    from helpers.cost.caches import AnswerCache
    from helpers.cost.rates import Rates
    from helpers.cost.trap_table import trap_table
    from helpers.cost.variants import CASCADE, LEFT_OUT, REFERENCE, VARIANTS
    from helpers.evaluate.evidence import Figure, fast_mode
    from helpers.evaluate.version import current_version
    from helpers.models import embeddings

    version = current_version()
    model = os.environ.get("COURSE_MODEL", "").strip() or "local"
    known = answers or _asked(part, asked, progress)
    rates = Rates()

    def row(variant: Any) -> "Row":
        served = frontier.replay(variant, asked, known[variant.of], cache=AnswerCache, model=model)
        return frontier.row(variant.name, served, rates)

    rows = [row(variant) for variant in VARIANTS]
    beaten = frontier.dominated(rows)
    rows = [replace(one, dominated=beaten.get(one.name)) for one in rows]
    by_name = {one.name: one for one in rows}
    left_out = {tier: row(variant) for tier, variant in LEFT_OUT.items()}
    tiers = frontier.tier_rows(by_name[CASCADE], left_out, rates)
    figures = eval_figures(asked, known["reference"], model)
    notes = []
    if part == "heldout" and fast_mode():
        notes.append("COURSE_FAST is on, so no evidence was filed.")
    elif part == "heldout":
        notes.append(f"Evidence for the checklist: {file_evidence(figures, version).name}")
    else:
        notes.append("Evidence for the checklist is filed with --part heldout only.")
    return {
        "part": part,
        "version": version.digest,
        "requests": len(asked),
        "intents": len({one.id for one in asked}),
        "wordings": len({one.question for one in asked}),
        "model": model,
        "person_usd": str(rates.person_usd),
        "wrong_usd": str(rates.wrong_usd),
        "hosted": frontier.HOSTED,
        "variants": [_row_data(one) for one in rows],
        "left_out": {tier: _row_data(one) for tier, one in left_out.items()},
        "tiers": [_tier_data(one) for one in tiers],
        "traps": [asdict(one) for one in trap_table(part, embeddings())],
        "goals": goals(by_name[REFERENCE], by_name[CASCADE]),
        "course_eval": {
            name: {"value": one.value, "low": one.low, "high": one.high}
            for name, one in ((name, Figure.of(one)) for name, one in figures.items())
        },
        "notes": notes,
    }


def _asked(
    part: str,
    asked: Sequence["Question"],
    progress: "Progress | None",
) -> "Mapping[str, Mapping[str, Answered]]":
    from helpers.cost.variants import LEFT_OUT, VARIANTS, answers
    from helpers.models import bulk_run, chat_model

    variants = [*VARIANTS, *LEFT_OUT.values()]
    calls = 2 * len({one.question for one in asked}) * len({one.of for one in variants})
    with bulk_run(chat_model(), calls=calls, input_tokens=600, output_tokens=80):
        return answers(part, variants, asked, progress=progress, say=_to_stderr)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)


def eval_figures(
    asked: Sequence["Question"], answers: "Mapping[str, Answered]", model: str
) -> "Mapping[str, Figure | Proportion | Estimate]":
    """The cost of the agent as the course ships it, by the function of `course eval`.

    There a refused unanswerable question is a right answer, and search is not counted.
    """
    from helpers.cost.variants import key_of
    from helpers.evaluate.eval_evidence import cost_figures
    from helpers.evaluate.scores import score

    runs = [answers[key_of(question)].run for question in asked]
    scores = [score(question, run) for question, run in zip(asked, runs, strict=True)]
    return cost_figures(runs, scores, model)


def file_evidence(
    figures: "Mapping[str, Figure | Proportion | Estimate]", version: "Version"
) -> Any:
    """File the figures for the checklist's item "cost"; gives the file.

    Raises `FastMode` where `COURSE_FAST` is on.
    """
    from helpers.evaluate import evidence

    return evidence.write("cost", figures, command=COMMAND, version=version)


def goals(reference: "Row", cascade: "Row") -> list[dict[str, Any]]:
    """What the cascade is to reach against the reference, and whether it does."""
    wanted = [
        ("right answers, share", "at least", 0.62, cascade.right.rate),
        ("wrong answers, share", "at most", 0.15, cascade.wrong.rate),
        ("handed over, share", "at most", 0.25, cascade.handed.rate),
        (
            "dollars a right answer, of the reference's",
            "at most",
            1 / 20,
            _ratio(cascade.a_right_answer, reference.a_right_answer),
        ),
        (
            "dollars a right answer with people and wrong answers, of the reference's",
            "at most",
            0.8,
            _ratio(cascade.priced_right_answer, reference.priced_right_answer),
        ),
    ]
    return [
        {
            "goal": name,
            "is": value,
            "wanted": f"{direction} {limit:g}",
            "reached": value is not None
            and (value >= limit if direction == "at least" else value <= limit),
        }
        for name, direction, limit, value in wanted
    ]


def _ratio(one: "Estimate | None", other: "Estimate | None") -> float | None:
    return one.value / other.value if one and other and other.value else None


def _row_data(row: "Row") -> dict[str, Any]:
    shares = {"right": row.right, "wrong": row.wrong, "handed over": row.handed}
    estimates = {
        "dollars a question": row.a_question,
        "dollars a right answer": row.a_right_answer,
        "priced, a question": row.priced_question,
        "priced, a right answer": row.priced_right_answer,
    }
    return {
        "variant": row.name,
        **{
            name: {"count": one.successes, "rate": one.rate, "interval": list(one.interval or ())}
            for name, one in shares.items()
        },
        "model dollars": str(row.model_usd),
        "search dollars": str(row.search_usd),
        "hosted dollars": str(row.hosted_usd),
        **{name: one and [one.value, one.low, one.high] for name, one in estimates.items()},
        "dominated by": row.dominated,
    }


def _tier_data(row: "TierRow") -> dict[str, Any]:
    money = ("spent", "priced_with", "priced_without", "spent_with", "spent_without")
    return {
        "tier": row.tier,
        "answered": row.answered,
        "right": row.right,
        "wrong": row.wrong,
        **{name: str(getattr(row, name)) for name in money},
        "earns its place": row.earns,
    }


def as_text(found: Mapping[str, Any]) -> str:
    """The report as tables."""
    requests = found["requests"]
    quality = [["way to answer", "right", "wrong", "handed over", "dominated by"]]
    money = [["way to answer", "model", "search", "a question", "a right answer"]]
    priced = [["way to answer", "a question, priced", "a right answer, priced", "hosted model"]]
    for one in found["variants"]:
        name = one["variant"]
        shares = [_share(one[key]) for key in ("right", "wrong", "handed over")]
        quality.append([name, *shares, one["dominated by"] or "-"])
        money.append([
            name,
            *(_micro(Decimal(one[key]) / requests) for key in ("model dollars", "search dollars")),
            *(_range(one[key], _MICRO) for key in ("dollars a question", "dollars a right answer")),
        ])  # fmt: skip
        priced.append([
            name,
            *(_range(one[key], 1) for key in ("priced, a question", "priced, a right answer")),
            _micro(Decimal(one["hosted dollars"]) / requests),
        ])  # fmt: skip
    tiers = [["tier", "answered", "right", "wrong", "micro-dollars", "priced with", "without", ""]]
    tiers += [
        [
            one["tier"],
            *(str(one[key]) for key in ("answered", "right", "wrong")),
            _micro(Decimal(one["spent"])),
            *(f"{Decimal(one[key]):.2f}" for key in ("priced_with", "priced_without")),
            "earns its place" if one["earns its place"] else "does not",
        ]
        for one in found["tiers"]
    ]
    heads = ("traps", "wordings", "traps, with the guard", "wordings, with the guard")
    traps = [["threshold", *heads]]
    for at in sorted({one["threshold"] for one in found["traps"]}):
        both = sorted(
            (one for one in found["traps"] if one["threshold"] == at), key=lambda one: one["guard"]
        )
        counts = [f"{one[of]} of {one['of_' + of]}" for one in both for of in ("traps", "pairs")]
        traps.append([f"{at:.2f}", *counts])
    shown = found["course_eval"].get("dollars a right answer")
    return "\n".join([
        f"{requests} requests of {found['part']}, {found['intents']} intents in "
        f"{found['wordings']} wordings, version {found['version']}; shares with 95% intervals "
        "(Wilson), dollars with 95% intervals (bootstrap over intents)",
        "",
        *aligned(quality),
        "",
        "Micro-dollars: the model's tokens and the search, a question",
        *aligned(money),
        "",
        f"Dollars with a person at ${found['person_usd']} and a wrong answer at "
        f"${found['wrong_usd']}; micro-dollars a question of the model's part at the prices of "
        f"{found['hosted']}, tokens as the local model counts them: it chooses tools without a "
        "token, and a hosted model reads the conversation for it, which is not in this column",
        *aligned(priced),
        "",
        "The cascade's tiers, and the dollars of all requests with and without each (priced)",
        *aligned(tiers),
        "",
        "What a semantic cache would serve: a trap is a wrong answer, a wording one saved",
        *aligned(traps),
        "",
        *(
            f"{'reached' if one['reached'] else 'NOT reached'}: {one['goal']} "
            f"{one['is'] if one['is'] is None else format(one['is'], '.3f')}, {one['wanted']}"
            for one in found["goals"]
        ),
        "As `course eval` counts the reference (a refused unanswerable question is right, search "
        "is not counted), micro-dollars a right answer: "
        + (_range([shown["value"], shown["low"], shown["high"]], _MICRO) if shown else "-"),
        *found["notes"],
    ])  # fmt: skip


def _share(share: Mapping[str, Any]) -> str:
    low, high = share["interval"]
    return f"{share['rate']:.2f} [{low:.2f}, {high:.2f}]"


def _range(values: Sequence[float] | None, unit: int) -> str:
    if values is None:
        return "- (none is right)"
    value, low, high = (f"{one * unit:.2f}" for one in values)
    return f"{value} [{low}, {high}]"


def _micro(dollars: Decimal) -> str:
    return f"{dollars * _MICRO:.2f}"


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"cost": cost}
