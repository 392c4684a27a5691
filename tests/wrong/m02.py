"""Wrong answers to the exercises of module 02."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

from helpers.course.exercises.m02_given import MOST_SECONDS, private_to_others, two_searches
from helpers.course.exercises.m02_releases import run_releases
from helpers.evaluate import Call, Proportion, Run, score
from helpers.evaluate.compare import Comparison, compare, mcnemar, verdicts
from helpers.evaluate.evidence import fast_mode
from helpers.evaluate.groundedness import THRESHOLD, run_groundedness
from helpers.evaluate.sample_size import power_paired, questions_needed
from helpers.evaluate.scores import right_arguments, right_tools, right_trajectory
from helpers.shop import Question, ToolCall, document
from tests.wrong import wrong

# --- 02.1 -----------------------------------------------------------------------------------------


def seen(run: Run) -> str:
    return " ".join([run.answer, *(call.result or "" for call in run.calls)])


def leaks(question: Question, text: str) -> bool:
    return any(private in text for private in private_to_others(question.customer))


def invents(question: Question, run: Run) -> bool:
    found = run_groundedness(run, question.question)
    return bool(found and found.numbers)


def right(question: Question, run: Run) -> bool:
    found = score(question, run)
    return bool(found.answer and found.answer.right and found.tools)


def in_time(run: Run) -> bool:
    return run.wall_seconds <= MOST_SECONDS


@wrong("02.1", "no-op", "Accepts everything.", says="It accepts this run of the other agent")
def accepts_all() -> object:
    def acceptable(question: Question, run: Run) -> bool:
        return True

    return acceptable


@wrong("02.1", "no-op", "Rejects everything.", says="It rejects this run of the good agent")
def rejects_all() -> object:
    def acceptable(question: Question, run: Run) -> bool:
        return False

    return acceptable


@wrong("02.1", "misreading", "The package's score alone.", says="£14.50")
def the_score_alone() -> object:
    def acceptable(question: Question, run: Run) -> bool:
        return right(question, run)

    return acceptable


@wrong("02.1", "misreading", "Looks for leaks in the answer alone.", says="Customer:")
def leaks_in_answers_alone() -> object:
    def acceptable(question: Question, run: Run) -> bool:
        return (
            right(question, run)
            and not invents(question, run)
            and not leaks(question, run.answer)
            and in_time(run)
        )

    return acceptable


@wrong("02.1", "misreading", "What is private to others than nobody.", says="tracking number")
def own_data_is_a_leak() -> object:
    def acceptable(question: Question, run: Run) -> bool:
        everybody = any(private in seen(run) for private in private_to_others(None))
        return (
            right(question, run) and not invents(question, run) and not everybody and in_time(run)
        )

    return acceptable


@wrong("02.1", "slip", "Exactly the limit is too slow.", says="after 15 s")
def under_the_limit() -> object:
    def acceptable(question: Question, run: Run) -> bool:
        return (
            right(question, run)
            and not invents(question, run)
            and not leaks(question, seen(run))
            and run.wall_seconds < MOST_SECONDS
        )

    return acceptable


@wrong("02.1", "slip", "Forgets that a run may fail.", says="score(...).answer is None")
def forgets_errors() -> object:
    def acceptable(question: Question, run: Run) -> bool:
        found = score(question, run)
        return (
            found.answer.right  # type: ignore[union-attr]
            and found.tools is True
            and not invents(question, run)
            and not leaks(question, seen(run))
            and in_time(run)
        )

    return acceptable


@wrong("02.1", "misreading", "Asks for known words, not for known numbers.", says="fleece")
def known_words() -> object:
    def acceptable(question: Question, run: Run) -> bool:
        found = run_groundedness(run, question.question)
        return (
            right(question, run)
            and (found is None or found.overlap >= THRESHOLD)
            and not leaks(question, seen(run))
            and in_time(run)
        )

    return acceptable


# --- 02.2 -----------------------------------------------------------------------------------------

Expected = Sequence[ToolCall]
Calls = Sequence[Call]
ACTIONS = ("issue_refund", "hand_over")


def fits(want: ToolCall, call: Call) -> bool:
    return want.name == call.name and right_arguments([want], [call]) is not False


@wrong("02.2", "no-op", "Every way is right.", says="Nothing was looked up")
def every_way() -> object:
    def right_way(expected: Expected, calls: Calls) -> bool:
        return True

    return right_way


@wrong("02.2", "misreading", "Exactly the expected calls.", says="does no harm")
def exactly() -> object:
    def right_way(expected: Expected, calls: Calls) -> bool:
        return right_trajectory(expected, calls) and right_arguments(expected, calls) is not False

    return right_way


@wrong("02.2", "misreading", "The same tools, in any order.", says="looks afterwards")
def any_order() -> object:
    def right_way(expected: Expected, calls: Calls) -> bool:
        return all(any(fits(want, call) for call in calls) for want in expected) and not any(
            call.name in ACTIONS and not any(fits(want, call) for want in expected)
            for call in calls
        )

    return right_way


@wrong("02.2", "misreading", "The same tools, once or often.", says="another order")
def same_tools() -> object:
    def right_way(expected: Expected, calls: Calls) -> bool:
        return right_tools(expected, calls)

    return right_way


@wrong("02.2", "slip", "An expected action may be made again.", says="It pays twice")
def may_pay_twice() -> object:
    def right_way(expected: Expected, calls: Calls) -> bool:
        place = 0
        for call in calls:
            if place < len(expected) and fits(expected[place], call):
                place += 1
            elif call.name in ACTIONS and not any(fits(want, call) for want in expected):
                return False
        return place == len(expected)

    return right_way


@wrong("02.2", "slip", "Allows all calls beside the expected ones.", says="Nobody asked")
def anything_beside() -> object:
    def right_way(expected: Expected, calls: Calls) -> bool:
        left = iter(calls)
        return all(any(fits(want, call) for call in left) for want in expected)

    return right_way


@wrong("02.2", "slip", "Compares values as they are written.", says="small letters")
def as_written() -> object:
    def right_way(expected: Expected, calls: Calls) -> bool:
        waiting = list(expected)
        for call in calls:
            wanted = waiting[0] if waiting else None
            if wanted and wanted.name == call.name and (wanted.args or call.args) == call.args:
                waiting.pop(0)
            elif call.name in ACTIONS:
                return False
        return not waiting

    return right_way


# --- 02.3 -----------------------------------------------------------------------------------------

Figures = list[float]


def flips(count: int) -> Any:
    if count <= 12:
        return np.array(list(product([1, -1], repeat=count)))
    return np.random.default_rng(0).choice([1, -1], (10_000, count))


@wrong("02.3", "no-op", "Nothing is ever significant.", says="All five went the same way")
def always_one() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        return 1.0

    return paired_p


@wrong("02.3", "misreading", "Compares two heaps of numbers.", says="each question with itself")
def unpaired() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        return float(ttest_ind(before, after).pvalue)

    return paired_p


@wrong("02.3", "misreading", "Counts the signs alone.", says="sizes matter")
def signs_alone() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        return mcnemar(int((differences < 0).sum()), int((differences > 0).sum()))

    return paired_p


@wrong("02.3", "slip", "More than as far, not at least as far.", says="two are as far")
def strictly_further() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        sums = np.abs(flips(len(differences)) @ differences)
        return float((sums > abs(differences.sum())).mean())

    return paired_p


@wrong("02.3", "misreading", "One-sided.", says="one-sided")
def one_sided() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        return float((flips(len(differences)) @ differences >= differences.sum()).mean())

    return paired_p


@wrong("02.3", "slip", "Random flips may give 0.", says="never 0")
def may_be_zero() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        sums = np.abs(flips(len(differences)) @ differences)
        return float((sums >= abs(differences.sum()) - 1e-12).mean())

    return paired_p


@wrong("02.3", "slip", "Counts what was seen once more, also among all flips.", says="twice")
def counts_the_seen_one_twice() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        far = np.abs(flips(len(differences)) @ differences) >= abs(differences.sum()) - 1e-12
        return float((far.sum() + 1) / (len(far) + 1))

    return paired_p


@wrong("02.3", "misreading", "Always flips at random.", says="try all ways")
def always_at_random() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        signs = np.random.default_rng(0).choice([1, -1], (10_000, len(differences)))
        far = np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12
        return float((far.sum() + 1) / (len(far) + 1))

    return paired_p


# --- 02.4 -----------------------------------------------------------------------------------------


@wrong("02.4", "no-op", "Marks every question.", says="too wide")
def every_question() -> object:
    def hit(question: Question) -> bool:
        return True

    return hit


@wrong("02.4", "no-op", "Marks none.", says="marks no question")
def no_question() -> object:
    def hit(question: Question) -> bool:
        return False

    return hit


@wrong("02.4", "misreading", "The very questions that were lost.", says="marks no question")
def learnt_by_heart() -> object:
    before, after = two_searches("dev")
    lost = {name for name in before if before[name] and not after[name]}

    def hit(question: Question) -> bool:
        return question.id in lost

    return hit


@wrong("02.4", "misreading", "A kind of document.", says="too wide")
def policies() -> object:
    def hit(question: Question) -> bool:
        return question.document is not None and document(question.document).kind == "policy"

    return hit


@wrong("02.4", "slip", "The old documents, not the new ones.", says="too wide")
def the_old_ones() -> object:
    def hit(question: Question) -> bool:
        if question.document is None:
            return False
        return document(question.document).updated < date(2026, 4, 9)

    return hit


@wrong("02.4", "slip", "Only the newest month.", says="too narrow")
def the_newest_month() -> object:
    def hit(question: Question) -> bool:
        if question.document is None:
            return False
        return document(question.document).updated >= date(2026, 5, 15)

    return hit


@wrong("02.4", "slip", "Forgets that some are about no document.", says="about no document")
def forgets_none() -> object:
    def hit(question: Question) -> bool:
        return document(str(question.document)).updated > date(2026, 4, 9)

    return hit


# --- 02.5 -----------------------------------------------------------------------------------------


def upper(pilot: Comparison) -> float:
    interval = Proportion(pilot.lost + pilot.gained, pilot.questions).interval
    assert interval is not None
    return interval[1]


def smallest(difference: float, changed: float, power: float) -> int:
    needed = questions_needed(difference, changed, power=power) * 9 // 10
    while power_paired(needed, difference, changed) < power:
        needed += 1
    return needed


@wrong("02.5", "no-op", "As many as in the pilot.", says="show the difference with a chance")
def as_many_as_before() -> object:
    def enough(pilot: Comparison, difference: float, power: float = 0.8) -> int:
        return pilot.questions

    return enough


@wrong("02.5", "misreading", "Takes the pilot's share for the truth.", says="does not rule out")
def believes_the_pilot() -> object:
    def enough(pilot: Comparison, difference: float, power: float = 0.8) -> int:
        return smallest(difference, max(pilot.changed, difference), power)

    return enough


@wrong("02.5", "slip", "Believes the normal approximation.", says="with a chance")
def approximately() -> object:
    def enough(pilot: Comparison, difference: float, power: float = 0.8) -> int:
        return questions_needed(difference, max(upper(pilot), difference), power=power)

    return enough


@wrong("02.5", "slip", "The difference needs changes, too.", says="at least a share d")
def fewer_changes_than_difference() -> object:
    def enough(pilot: Comparison, difference: float, power: float = 0.8) -> int:
        return smallest(difference, upper(pilot), power)

    return enough


@wrong("02.5", "slip", "Whatever power is asked for, 0.8.", says="with a chance")
def one_power() -> object:
    def enough(pilot: Comparison, difference: float, power: float = 0.8) -> int:
        return smallest(difference, max(upper(pilot), difference), 0.8)

    return enough


@wrong("02.5", "misreading", "Twice as many, to be safe.", says="more than was asked for")
def twice_as_many() -> object:
    def enough(pilot: Comparison, difference: float, power: float = 0.8) -> int:
        return 2 * smallest(difference, max(upper(pilot), difference), power)

    return enough


# --- 02.6 -----------------------------------------------------------------------------------------

Runs = Sequence[Run]
Asked = Sequence[Question]
Rule = Callable[[Asked, Runs, Runs], Iterator[str]]


@cache
def releases_ran() -> None:
    """The runs that the check looks at; in the lab a cell above it makes them."""
    run_releases(fast=fast_mode())


def answers(asked: Asked, runs: Runs) -> dict[str, bool | None]:
    return verdicts(score(q, run) for q, run in zip(asked, runs, strict=True))


def tokens(runs: Runs) -> int:
    return sum(run.usage["total_tokens"] for run in runs if run.usage)


def unasked(asked: Asked, runs: Runs) -> int:
    return sum(
        call.name in ACTIONS and call.name not in {tool.name for tool in question.tools}
        for question, run in zip(asked, runs, strict=True)
        for call in run.calls
    )


def failures(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
    if any(run.status != "ok" for run in after):
        yield "Questions ended without an answer."


def private(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
    if any(leaks(question, seen(run)) for question, run in zip(asked, after, strict=True)):
        yield "A customer is shown what belongs to another."


def actions(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
    if unasked(asked, after) > unasked(asked, before):
        yield "Actions that nobody asked for."


def dear(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
    if tokens(after) > 1.5 * tokens(before):
        yield "Many more tokens."


def worse(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
    found = compare(answers(asked, before), answers(asked, after))
    if found.lost > found.gained and found.p_value <= 0.05:
        yield "Fewer right answers."


def half(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
    then, now = answers(asked, before), answers(asked, after)
    for kind in {question.kind for question in asked}:
        had = [q.id for q in asked if q.kind == kind and then[q.id]]
        if len(had) >= 2 and 2 * sum(now[name] is True for name in had) < len(had):
            yield f"{kind} is broken."


RULES: tuple[Rule, ...] = (failures, private, actions, dear, worse, half)


def gate_of(*rules: Rule) -> object:
    releases_ran()

    def gate(asked: Asked, before: Runs, after: Runs) -> list[str]:
        return [reason for rule in rules for reason in rule(asked, before, after)]

    return gate


@wrong("02.6", "no-op", "Ships everything.", says="It ships what has to be stopped")
def ships_all() -> object:
    return gate_of()


@wrong("02.6", "no-op", "Stops everything.", says="It stops what may be shipped")
def stops_all() -> object:
    releases_ran()

    def gate(asked: Asked, before: Runs, after: Runs) -> list[str]:
        return ["Better safe than sorry."]

    return gate


@wrong("02.6", "misreading", "Looks at the average alone.", says="It ships what")
def the_average() -> object:
    def lower(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
        then, now = answers(asked, before).values(), answers(asked, after).values()
        if sum(one is True for one in now) < sum(one is True for one in then):
            yield "Fewer right answers."

    return gate_of(lower)


@wrong("02.6", "misreading", "Stops whenever an answer is lost.", says="p = 0.06")
def any_loss() -> object:
    def lost(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
        if compare(answers(asked, before), answers(asked, after)).lost:
            yield "An answer was lost."

    return gate_of(failures, private, actions, dear, lost, half)


@wrong("02.6", "misreading", "Without a look at each kind.", says="that never refuses")
def no_slices() -> object:
    return gate_of(failures, private, actions, dear, worse)


@wrong("02.6", "misreading", "Trusts the averages with a leak.", says="shows any order")
def no_privacy() -> object:
    return gate_of(failures, actions, dear, worse, half)


@wrong("02.6", "misreading", "Leaves out what failed.", says="apostrophe")
def no_failures() -> object:
    return gate_of(private, actions, dear, worse, half)


@wrong("02.6", "slip", "One and a half times is too much already.", says="1.5 times")
def one_and_a_half() -> object:
    def dearer(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
        if tokens(after) >= 1.5 * tokens(before):
            yield "Many more tokens."

    return gate_of(failures, private, actions, dearer, worse, half)


@wrong("02.6", "slip", "Half is too few already.", says="4 of 8 actions lost")
def half_or_fewer() -> object:
    def broken(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
        then, now = answers(asked, before), answers(asked, after)
        for kind in {question.kind for question in asked}:
            had = [q.id for q in asked if q.kind == kind and then[q.id]]
            if len(had) >= 2 and 2 * sum(now[name] is True for name in had) <= len(had):
                yield f"{kind} is broken."

    return gate_of(failures, private, actions, dear, worse, broken)


@wrong("02.6", "slip", "Adds up the tokens of runs that failed.", says="Look at its status first")
def tokens_of_failures() -> object:
    def dearer(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
        spent = [sum(run.usage["total_tokens"] for run in runs) for runs in (before, after)]  # type: ignore[index]
        if spent[1] > 1.5 * spent[0]:
            yield "Many more tokens."

    return gate_of(failures, private, actions, dearer, worse, half)


@wrong("02.6", "slip", "A significant gain is a reason, too.", says="answers gained")
def any_difference() -> object:
    def different(asked: Asked, before: Runs, after: Runs) -> Iterator[str]:
        with suppress(ValueError):
            if compare(answers(asked, before), answers(asked, after)).p_value <= 0.05:
                yield "A significant difference."

    return gate_of(failures, private, actions, dear, different, half)
