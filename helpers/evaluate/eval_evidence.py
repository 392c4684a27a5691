"""What `course eval --part heldout` files for the checklist.

Functional quality, latency, cost, and the comparison with the last release. Only a run over all
heldout questions counts: the other parts were looked at while the agent was built.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.evaluate import evidence, releases
from helpers.evaluate.checklist import CHECKLIST
from helpers.evaluate.compare import Comparison, Slice, compare, slices, tags, verdicts
from helpers.evaluate.cost import costs
from helpers.evaluate.estimate import Estimate
from helpers.evaluate.evidence import Figure
from helpers.evaluate.latency import latency
from helpers.evaluate.proportion import Proportion
from helpers.evaluate.runs import Run
from helpers.evaluate.scores import Score
from helpers.evaluate.summary import Summary, summarise
from helpers.evaluate.version import Version
from helpers.models.errors import UnknownPrice
from helpers.shop import Question, questions

Figures = Mapping[str, Figure | Proportion | Estimate]

CONFIDENCE = 0.90
"""Of the interval of the difference: its lower end then errs in 5 of 100 cases."""


@dataclass(frozen=True)
class Regression:
    """The comparison with the last release, over all questions and by slice."""

    release: str
    comparison: Comparison
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class Filed:
    """What was filed, and in words what was not and why."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]
    regression: Regression | None


def file_evidence(
    asked: Sequence[Question],
    runs: Sequence[Run],
    scores: Sequence[Score],
    recall_at_3: Proportion,
    *,
    model: str,
    command: str,
    version: Version,
    release: str | None = None,
) -> Filed:
    """File the evidence of one evaluation.

    Args:
        asked: the questions, which must be all of heldout.
        runs: the agent's runs on them, in their order.
        scores: the runs' scores, in their order.
        recall_at_3: how often the right document is among the first three found.
        model: "local", or a hosted model as `COURSE_MODEL` names it.
        command: what a person types to measure it again.
        version: what was measured, taken before it was.
        release: a name under which the answers are recorded for later versions to be compared
            with.

    Raises:
        FastMode: `COURSE_FAST` is on.
        ValueError: the questions are not all of heldout, or runs and scores are of others.
        ReleaseError: the release cannot be recorded.
    """
    evidence.refuse_fast_mode(command)
    if {question.id for question in asked} != {question.id for question in questions("heldout")}:
        raise ValueError("Evidence is filed from all heldout questions, and from no others.")
    if [question.id for question in asked] != [run.question_id for run in runs]:
        raise ValueError("Questions and runs are not the same in the same order.")
    summary = summarise(scores, runs)
    regression: Regression | None = None

    def compared() -> Figures:
        nonlocal regression
        regression = compare_with_last_release(asked, scores, version)
        return regression_figures(regression)

    measured: dict[str, Callable[[], Figures]] = {
        "functional_quality": lambda: quality_figures(summary, recall_at_3),
        "latency": lambda: latency_figures(runs),
        "cost": lambda: cost_figures(runs, scores, model),
        "regression": compared,
    }
    files: list[Path] = []
    notes: list[str] = []
    for item, figures in measured.items():
        try:
            files.append(evidence.write(item, figures(), command=command, version=version))
        except (ValueError, UnknownPrice) as problem:
            notes.append(f"No evidence of {item}: {problem}")
    if release is not None:
        files.append(
            releases.record(
                release,
                asked,
                verdicts(scores),
                command=command,
                version=version,
                figures=figures_of(version),
            )
        )
    return Filed(tuple(files), tuple(notes), regression)


def figures_of(version: Version) -> releases.Figures:
    """The figures on file of this version, by item; none of a file that cannot be read.

    Without those of the regression, which compare it with an earlier release.
    """
    found: dict[str, Mapping[str, Figure]] = {}
    for item in CHECKLIST:
        try:
            filed = evidence.read(item.name)
        except evidence.EvidenceError:
            continue  # `course ship-check` names the file
        if filed is None or filed.stated or item.name == "regression":
            continue
        if not filed.version.only(item.parts).changed(version.only(item.parts)):
            found[item.name] = filed.figures
    return found


def quality_figures(summary: Summary, recall_at_3: Proportion) -> Figures:
    """The figures of functional quality; a rate without counts is left out."""
    failed = summary.all.errors + summary.all.timeouts
    rates = {
        "recall at 3": recall_at_3,
        "tool choice": summary.all.tools,
        "arguments": summary.all.arguments,
        "right answers": summary.all.answers,
        **{f"right answers, {row.kind.replace('_', ' ')}": row.answers for row in summary.kinds},
        "refused, unanswerable": summary.refused_unanswerable,
        "refused, answerable": summary.refused_answerable,
        "errors and timeouts": Proportion(failed, summary.all.questions),
    }
    return {name: rate for name, rate in rates.items() if rate.total}


def latency_figures(runs: Sequence[Run]) -> Figures:
    """The figures of latency. Raises ValueError when no run ended with an answer."""
    times = latency(runs)
    return {
        "seconds an answer, median": times.median,
        "seconds an answer, 95th percentile": times.p95,
    }


def cost_figures(runs: Sequence[Run], scores: Sequence[Score], model: str) -> Figures:
    """The figures of cost. Raises `UnknownPrice` and ValueError, never gives a zero for them."""
    spent = costs(runs, scores, model)
    figures = {"dollars a question": spent.a_question}
    if spent.a_right_answer is not None:
        figures["dollars a right answer"] = spent.a_right_answer
    return figures


def compare_with_last_release(
    asked: Sequence[Question], scores: Sequence[Score], version: Version
) -> Regression:
    """Compare with the last release of another version, over all questions and by slice.

    Raises ValueError, with the reason in words, when there is none that can be compared with.
    """
    last = releases.last_release(version)
    if last is None:
        raise ValueError(
            "there is no release of another version to compare with. Record one with "
            "`course eval --part heldout --release NAME`, or state that this is the first: "
            'course ship-check --state regression "first release" --by NAME'
        )
    if last.questions != releases.digest_of_questions(asked):
        raise ValueError(
            f"release {last.name} was asked other questions; evaluate it again on these and "
            "record it under another name."
        )
    now = verdicts(scores)
    found = slices(last.verdicts, now, {question.id: tags(question) for question in asked})
    return Regression(last.name, compare(last.verdicts, now, confidence=CONFIDENCE), tuple(found))


def regression_figures(regression: Regression) -> Figures:
    """The figures of a comparison, as the checklist's thresholds name them."""
    compared = regression.comparison
    worse = [each for each in regression.slices if each.lost_ground()]
    return {
        "difference in right answers": compared.difference,
        "slices that lost ground": Figure(len(worse), len(regression.slices)),
        f"right answers of release {regression.release}": compared.before,
        "right answers now": compared.after,
        "answers lost": Figure(compared.lost, compared.questions),
        "answers gained": Figure(compared.gained, compared.questions),
        "p-value": Figure(compared.p_value, compared.lost + compared.gained),
        **{f"difference, {each.name}": each.comparison.difference for each in worse},
    }


def regression_lines(regression: Regression) -> list[str]:
    """The comparison in words: over all questions, and each slice that lost ground."""
    compared = regression.comparison
    change, low, high = (
        100 * value
        for value in (
            compared.difference.value,
            compared.difference.low,
            compared.difference.high,
        )
    )
    lines = [
        f"against release {regression.release}: {change:+.1f} points [{low:+.1f}, {high:+.1f}], "
        f"{compared.lost} answers lost, {compared.gained} gained, p = {compared.p_value:.3f}"
    ]
    lines += [
        f"lost ground: {each.name}, {100 * each.comparison.difference.value:+.0f} points of "
        f"{each.comparison.questions} questions, p = {each.p_value:.3f} among "
        f"{len(regression.slices)} slices"
        for each in regression.slices
        if each.lost_ground()
    ]
    return lines
