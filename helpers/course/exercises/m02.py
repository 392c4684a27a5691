"""Module 02, Evaluate before shipping: six exercises, from a scorer to the gate of a release.

`m02_given` and `m02_releases`, which bring LangChain and the models, are imported where a case
needs them: to list the exercises, as `course status` does, must not take seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, approx, exercise, satisfies

if TYPE_CHECKING:
    from helpers.evaluate import Call, Run
    from helpers.evaluate.compare import Comparison
    from helpers.shop import Question, ToolCall

# --- 02.1: which answers are acceptable -----------------------------------------------------------

Acceptable = Callable[["Question", "Run"], bool]
Pair = tuple["Question", "Run", "Run"]
"""A question, the good agent's run, and a bad one."""


@exercise(
    "02.1",
    title="A scorer that tells the good agent from five bad ones",
    hints=[
        "Which of the five does score(question, run) find already? Look at its answer.right and at"
        " its tools. Both are None when a run ended in an error.",
        "A contradiction that no list of forbidden facts foresees has a number that stands in no"
        " source: run_groundedness(run, question.question).numbers. It is None where an answer"
        " claims nothing, such as a refusal.",
        "A leak need not be in the answer: what a tool returned, call.result, was read by the"
        " model. Look for each text of private_to_others(question.customer) in both.",
        "Put answer and results together with ' '.join([run.answer, *(call.result or '' for call in"
        " run.calls)]), and return the and of: status, answer.right, tools, no numbers, no leak,"
        " wall_seconds <= MOST_SECONDS.",
    ],
)
def acceptable(submission: Acceptable) -> Iterator[Case]:
    """A verdict on one run, where the good agent's runs pass and those of five others do not."""
    from helpers.course.exercises import m02_given as given

    asked, runs = given.asked(), given.agents()

    def case(name: str, agent: str) -> Case:
        pairs = [
            (question, good, bad)
            for question, good, bad in zip(asked, runs["good"], runs[agent], strict=True)
            # Where a question has no answer, refusing is right.
            if not (agent == "refuses everything" and question.kind == "unanswerable")
        ]
        return Case(
            name,
            call=lambda: [(submission(q, good), submission(q, bad)) for q, good, bad in pairs],
            show=f"acceptable(question, run) on {len(pairs)} runs of the good agent, and on"
            " those of the other on the same questions",
            expect=_apart(pairs),
        )

    yield case("an agent that refuses everything", "refuses everything")
    yield case("an agent that takes the wrong tool", "takes the wrong tool")
    yield case("an agent that contradicts itself", "contradicts itself")
    yield case("an agent that leaks what belongs to others", "leaks")
    yield case("an agent that is slow", "is slow")
    failed = replace(runs["good"][0], answer="", calls=(), status="error", error="TypeError: ...")
    yield Case(
        "a run that ended in an error",
        call=lambda: [(submission(asked[0], runs["good"][0]), submission(asked[0], failed))],
        show="acceptable(question, run), where run.status is 'error'",
        expect=_apart([(asked[0], runs["good"][0], failed)]),
        slips=[
            (
                AttributeError,
                "After an error there is no answer to judge: score(...).answer is None.",
            )
        ],
    )


def _apart(pairs: Sequence[Pair]) -> Expectation:
    def judge(got: list[tuple[Any, Any]]) -> bool | str:
        for (question, good, bad), (of_good, of_bad) in zip(pairs, got, strict=True):
            if not (isinstance(of_good, bool) and isinstance(of_bad, bool)):
                return "True or False is expected for each run."
            if not of_good:
                return f"It rejects this run of the good agent. {_in_words(question, good)}"
            if of_bad:
                return f"It accepts this run of the other agent. {_in_words(question, bad)}"
        return True

    def show(got: list[tuple[Any, Any]]) -> str:
        good, bad = sum(bool(a) for a, _ in got), sum(bool(b) for _, b in got)
        return f"{good} of {len(got)} accepted of the good agent, {bad} of the other"

    text = "every run of the good agent accepted, none of the other"
    return Expectation(text=text, judge=judge, show=show)


def _in_words(question: "Question", run: "Run") -> str:
    made = "; ".join(f"{call.name} returned {_end(call.result or '')!r}" for call in run.calls)
    return (
        f"Asked: {question.question!r} Answered: {run.answer!r} after {run.wall_seconds:g} s."
        f" Calls: {made or 'none'}."
    )


def _end(text: str) -> str:
    """The last words of what a tool returned, where the bad agent's tools say too much."""
    return text if len(text) <= 90 else f"... {text[-90:].partition(' ')[2]}"


# --- 02.2: a trajectory that may make a detour ----------------------------------------------------

RightWay = Callable[[Sequence["ToolCall"], Sequence["Call"]], bool]


@exercise(
    "02.2",
    title="A check of the trajectory that allows a detour",
    hints=[
        "Reading twice costs a second, paying twice costs money. Which of the tools only read?",
        "Walk through the calls with a pointer to the expected call that comes next. A call that"
        " fits moves the pointer on; one that does not must be a reading.",
        "right_arguments([want], [call]) knows that 20 and 20.00 are one amount, and is None where"
        " no values are expected. So a call fits when the names are equal and it is not False.",
        "waiting = list(expected). For each call: if waiting and it fits waiting[0],"
        " waiting.pop(0); else if it acts, return False. At the end, return not waiting.",
    ],
)
def right_way(submission: RightWay) -> Iterator[Case]:
    """Whether calls make the expected ones in order, with nothing done beside them."""
    from helpers.evaluate import Call
    from helpers.shop import ToolCall

    def search(words: str) -> Call:
        return Call("search_documents", {"query": words})

    def look(order: str) -> Call:
        return Call("lookup_order", {"order_id": order})

    def refund(order: str, **amount: object) -> Call:
        return Call("issue_refund", {"order_id": order, **amount})

    ticket = Call("hand_over", {"reason": "a complaint"})
    want_search = [ToolCall("search_documents")]
    want_look = [ToolCall("lookup_order", {"order_id": "FH-10735"})]
    want_refund = [ToolCall("issue_refund", {"order_id": "FH-10735"})]
    want_part = [ToolCall("issue_refund", {"order_id": "FH-10735", "amount": 20.0})]
    want_both = [*want_look, *want_refund]

    def case(
        name: str,
        expected: Sequence[ToolCall],
        good: Sequence[Call],
        bad: Sequence[Call],
        strict: str,
        lax: str,
    ) -> Case:
        return Case(
            name,
            call=lambda: [
                submission(list(expected), list(good)),
                submission(list(expected), list(bad)),
            ],
            show=f"where {_calls(expected)} is expected: right_way for {_calls(good)}, and for"
            f" {_calls(bad)}",
            expect=[True, False],
            slips=[
                ([False, False], strict),
                ([True, True], lax),
                ([False, True], f"{strict} {lax}"),
                (TypeError, "args of an expected call is None where any values will do."),
                (AttributeError, "args of an expected call is None where any values will do."),
            ],
        )

    yield case(
        "the expected call",
        want_look,
        [look("FH-10735")],
        [],
        "That is the expected call.",
        "Nothing was looked up.",
    )
    yield case(
        "what it is called with",
        want_look,
        [look("fh-10735")],
        [look("FH-10753")],
        "The shop takes small letters in an order's number too.",
        "That is another order.",
    )
    yield case(
        "a call beside the expected one",
        want_refund,
        [look("FH-10735"), refund("FH-10735")],
        [ticket, refund("FH-10735")],
        "To look before a refund does no harm.",
        "Nobody asked for a ticket: a person now works on it.",
    )
    yield case(
        "in which order",
        want_both,
        [look("FH-10735"), search("refunds"), refund("FH-10735")],
        [refund("FH-10735"), look("FH-10735")],
        "The expected calls are there in their order; a search between them does no harm.",
        "It refunds first and looks afterwards.",
    )
    yield case(
        "the same call again",
        want_search,
        [search("tent pegs"), search("pegs for sand")],
        [search("tent pegs"), refund("FH-10735")],
        "A second search does no harm.",
        "Nobody asked for a refund.",
    )
    yield case(
        "an action twice",
        want_refund,
        [refund("FH-10735")],
        [refund("FH-10735"), refund("FH-10735")],
        "That is the expected call.",
        "It pays twice.",
    )
    yield case(
        "an amount",
        want_part,
        [refund("FH-10735", amount="20.00")],
        [refund("FH-10735", amount=200)],
        "20.00 and 20.0 are one amount.",
        "It pays ten times as much.",
    )
    yield case(
        "a wrong action before the right one",
        want_refund,
        [look("FH-10292"), refund("FH-10735")],
        [refund("FH-10292"), refund("FH-10735")],
        "It looked at another order and refunded the right one.",
        "It refunds another order as well.",
    )


def _calls(calls: Sequence[Any]) -> str:
    made = [
        f"{call.name}({', '.join(f'{k}={v!r}' for k, v in (call.args or {}).items())})"
        for call in calls
    ]
    return ", ".join(made) or "no call"


# --- 02.3: a paired test for any figure -----------------------------------------------------------

PairedTest = Callable[[list[float], list[float]], float]


@exercise(
    "02.3",
    title="A paired test for any figure",
    hints=[
        "Take the difference of each question, after minus before. If the two versions are alike,"
        " each difference could as well have the other sign.",
        "So flip the signs in every possible way, 2 ** n of them, or at random 10,000 times where n"
        " is large. How often is the sum at least as far from 0 as the one you saw?",
        "At least as far: abs(flipped) >= abs(seen). What you saw is itself one of the ways, so p"
        " is never 0; for random flips that is (hits + 1) / (flips + 1).",
        "signs = np.array(list(itertools.product([1, -1], repeat=n))) up to n = 12, else"
        " np.random.default_rng(0).choice([1, -1], (10_000, n)). sums = abs(signs @ differences).",
    ],
)
def paired_p(submission: PairedTest) -> Iterator[Case]:
    """The p-value of a sign-flip test on differences, two-sided."""
    from helpers.evaluate.compare import mcnemar

    def case(
        name: str,
        before: Sequence[float],
        after: Sequence[float],
        p: float,
        slips: Sequence[tuple[Any, str]],
        *,
        near: float = 1e-9,
    ) -> Case:
        short = len(before) <= 12
        ways = 2 ** len(before)
        general = [(approx(p / 2, abs=near / 2 + 1e-9), "That is one-sided: worse counts, too.")]
        if short:
            general += [
                (
                    approx((p * ways + 1) / (ways + 1)),
                    "That counts what you saw twice: it is one of all the ways already.",
                ),
                (
                    approx(p, rel=0, abs=0.02),
                    "Near, but no more: with up to 12 questions try all ways, not some at random.",
                ),
            ]
        return Case(
            name,
            call=lambda: submission(list(before), list(after)),
            show=f"paired_p({list(before)}, {list(after)})"
            if short
            else f"paired_p(before, after) on {len(before)} questions",
            expect=approx(p, rel=0, abs=near),
            slips=[*slips, *general],
        )

    never = (0.0, "A p-value is never 0: what you saw is itself one of the possible outcomes.")
    yield case(
        "each of five questions takes a second longer",
        [2.0, 9.0, 4.0, 1.0, 6.0],
        [3.0, 10.0, 5.0, 2.0, 7.0],
        2 / 32,
        [
            (never[0], "No flip is further away than all signs alike, but two are as far."),
            (1.0, "All five went the same way."),
            (
                lambda got: 0.2 < got < 1,
                "That compares two heaps of numbers. Compare each question with itself.",
            ),
        ],
    )
    yield case(
        "nothing has changed",
        [3.0, 1.0, 2.0],
        [3.0, 1.0, 2.0],
        1.0,
        [never, (ZeroDivisionError, "Without any difference every flip is as far: p is 1.")],
    )
    yield case(
        "ups and downs",
        [0.0] * 6,
        [5.0, 4.0, 3.0, -1.0, 2.0, -1.0],
        _exact([5, 4, 3, -1, 2, -1]),
        [never, (mcnemar(2, 4), "That counts the signs alone; here sizes matter, too.")],
    )
    yield case(
        "the same the other way round",
        [5.0, 4.0, 3.0, -1.0, 2.0, -1.0],
        [0.0] * 6,
        _exact([5, 4, 3, -1, 2, -1]),
        [never, (lambda got: got > 0.5, "Faster is a difference, too: the test is two-sided.")],
    )
    yield case(
        "right and wrong answers: 8 lost, 1 gained, 3 as before",
        [1.0] * 8 + [0.0] + [1.0] * 3,
        [0.0] * 8 + [1.0] + [1.0] * 3,
        mcnemar(8, 1),
        [never],
    )
    many = _made(80, 0.35)
    yield case(
        "80 questions, too many for all flips",
        [0.0] * len(many),
        many,
        _sampled(many),
        [
            never,
            (
                lambda got: got < 0.001,
                "Few of the flips that you drew are that far; are they drawn evenly, +1 and -1?",
            ),
        ],
        near=0.015,
    )
    clear = [abs(value) for value in many]
    yield Case(
        "80 questions that all take longer",
        call=lambda: submission([0.0] * len(clear), clear),
        show="paired_p(before, after) on 80 questions, each of which takes longer",
        expect=satisfies("a p-value below 0.001, and above 0", lambda got: 0 < got < 0.001),
        slips=[never],
    )


def _exact(differences: Sequence[float]) -> float:
    """The share of all sign flips whose sum is at least as far from 0."""
    seen = abs(sum(differences))
    flips = list(product([1, -1], repeat=len(differences)))
    far = [
        abs(sum(s * d for s, d in zip(flip, differences, strict=True))) >= seen for flip in flips
    ]
    return sum(far) / len(flips)


def _made(count: int, shift: float) -> list[float]:
    """Differences in seconds that look like measured ones, in steps of 1/64."""
    import numpy as np

    drawn = np.random.default_rng(2).normal(shift, 2.0, count)
    return [float(value) for value in np.round(drawn * 64) / 64]


def _sampled(differences: Sequence[float]) -> float:
    import numpy as np

    signs = np.random.default_rng(1).choice([1.0, -1.0], (100_000, len(differences)))
    sums = np.abs(signs @ np.asarray(differences))
    return float(np.mean(sums >= abs(sum(differences))))


# --- 02.4: the regression that the average hides --------------------------------------------------

Hit = Callable[["Question"], bool]
LOST, STILL_RIGHT = 5, 1
"""On the lab part: at least so many of the questions lost, at most so many still right."""


@exercise(
    "02.4",
    title="Find the regression that the average hides",
    hints=[
        "List the questions that were right before and are wrong now. Read them beside a few that"
        " stayed right.",
        "The kind of question and of document tell nothing. What else do you know of the document"
        " that a question is about? Print document(question.document) without its text.",
        "Sort both lists by document(question.document).updated. A search finds what was in its"
        " index when that was built.",
        "return question.document is not None and document(question.document).updated >= date(2026,"
        " 4, ...), with a day between the newest document that is found and the oldest that is"
        " not.",
    ],
)
def hit(submission: Hit) -> Iterator[Case]:
    """A rule that singles out the questions that a change has broken, seen or unseen."""
    from helpers.course.exercises import m02_given as given

    def picked(part: Any) -> dict[str, int]:
        before, after = given.two_searches(part)
        marked = [q for q in given.about_documents(part) if _flag(submission(q))]
        return {
            "questions": len(marked),
            "right before": sum(bool(before[q.id]) for q in marked),
            "right after": sum(bool(after[q.id]) for q in marked),
        }

    def judge(got: dict[str, int]) -> bool | str:
        lost = got["right before"] - got["right after"]
        if not got["questions"]:
            return "It marks no question at all."
        if got["right after"] > STILL_RIGHT:
            return (
                f"Of the {got['questions']} questions it marks, {got['right after']} are right"
                " after the change: they are not broken. The rule is too wide."
            )
        return lost >= LOST or (
            f"Of the {got['questions']} questions it marks, {got['right before']} were right before"
            " the change: more than these have been lost. The rule is too narrow."
        )

    text = f"at least {LOST} questions right before, at most {STILL_RIGHT} right after"
    parts = {
        "on the questions that you looked at": "dev",
        "on questions that nobody has looked at": "lab",
    }
    for name, part in parts.items():
        yield Case(
            name,
            call=partial(picked, part),
            show=f"the questions of the {part} part for which hit(question) is True",
            expect=satisfies(text, judge),
        )
    yield Case(
        "a question that no document answers",
        call=lambda: [
            submission(_new(given.about_documents("dev"))),
            *(submission(q) for q in _without_document()),
        ],
        show="hit for a question about the newest document, and for two about none",
        expect=[True, False, False],
        slips=[(Exception, "Some questions are about no document: question.document is None.")],
    )


def _flag(got: object) -> bool:
    if not isinstance(got, bool):
        raise TypeError(f"hit must return True or False, not {type(got).__name__}")
    return got


def _new(asked: "Sequence[Question]") -> "Question":
    from helpers.shop import document

    return max(asked, key=lambda question: document(str(question.document)).updated)


def _without_document() -> "list[Question]":
    from helpers.shop import questions

    return [question for question in questions("dev") if question.document is None][:2]


# --- 02.5: how many questions ---------------------------------------------------------------------

Enough = Callable[["Comparison", float, float], int]
MORE_THAN_NEEDED = 1.03


@exercise(
    "02.5",
    title="How many questions are enough",
    hints=[
        "How many are needed depends on the share of questions that change. The pilot gives it,"
        " with an interval: Proportion(pilot.lost + pilot.gained, pilot.questions).interval.",
        "Plan with the upper end: if fewer change after all, you have more power, not less. A"
        " difference of d needs at least a share d of changed questions.",
        "questions_needed gives a first guess by a normal approximation, which is a little too low"
        " for an exact test. power_paired(n, difference, changed) is exact.",
        "n = questions_needed(difference, changed, power=power), then n += 1 while"
        " power_paired(n, difference, changed) < power.",
    ],
)
def enough(submission: Enough) -> Iterator[Case]:
    """The number of questions that shows a difference with a given power, from a pilot."""
    from helpers.evaluate.compare import compare

    def pilot(both: int, lost: int, gained: int, neither: int) -> "Comparison":
        pairs = [(True, True)] * both + [(True, False)] * lost
        pairs += [(False, True)] * gained + [(False, False)] * neither
        before = {f"q{n}": first for n, (first, _) in enumerate(pairs)}
        return compare(before, {f"q{n}": second for n, (_, second) in enumerate(pairs)})

    def case(name: str, counts: tuple[int, int, int, int], difference: float, power: float) -> Case:
        found = pilot(*counts)
        _, lost, gained, _ = counts
        return Case(
            name,
            call=lambda: submission(found, difference, power),
            show=f"enough(pilot, {difference}, {power}), where the pilot had {lost} lost and"
            f" {gained} gained of {found.questions} questions",
            expect=_number(found, difference, power),
            slips=[
                (ValueError, "A difference of d needs at least a share d of changed questions.")
            ],
        )

    yield case("ten points, from a pilot of 40", (20, 3, 5, 12), 0.10, 0.8)
    yield case("five points, from a pilot of 80", (48, 6, 8, 18), 0.05, 0.8)
    yield case("with more power", (48, 6, 8, 18), 0.10, 0.9)
    yield case("much has changed in the pilot", (10, 15, 10, 5), 0.15, 0.8)
    yield case("hardly anything has changed in the pilot", (90, 0, 1, 29), 0.10, 0.8)


def _number(pilot: "Comparison", difference: float, power: float) -> Expectation:
    from helpers.evaluate import Proportion
    from helpers.evaluate.sample_size import power_paired, questions_needed

    interval = Proportion(pilot.lost + pilot.gained, pilot.questions).interval
    assert interval is not None
    changed = max(interval[1], difference)
    least = questions_needed(difference, changed, power=power) * 9 // 10
    while power_paired(least, difference, changed) < power:
        least += 1

    def judge(got: Any) -> bool | str:
        if isinstance(got, bool) or not isinstance(got, int):
            return f"A whole number is expected, and this is of type {type(got).__name__}."
        if got < 1:
            return "At least one question is needed."
        reached = power_paired(got, difference, changed)
        if reached < power:
            return (
                f"If {changed:.0%} of the questions change, which the pilot does not rule out,"
                f" these show the difference with a chance of {reached:.1%}."
            )
        return (
            got <= least * MORE_THAN_NEEDED or f"{reached:.0%} of power is more than was asked for."
        )

    text = f"the fewest questions that reach {power:.0%}, or at most 3% more"
    return satisfies(text, judge)


# --- 02.6: the gate -------------------------------------------------------------------------------

Gate = Callable[[list["Question"], list["Run"], list["Run"]], list[str]]
Runs = Sequence["Run"]


@exercise(
    "02.6",
    title="A gate that stops six broken releases and ships two good ones",
    hints=[
        "Write one rule after the other, each of which adds a sentence to a list of reasons. The"
        " card names the first release that is judged wrongly.",
        "Rules 1 to 4 look at the runs: status, private_to_others, call.name against"
        " question.tools, run.usage['total_tokens'] (usage is None after an error).",
        "Rules 5 and 6 look at verdicts(score(...) for each run), a mapping from question id to"
        " True, False or None. compare gives lost, gained and p_value.",
        "For rule 6 take, for each kind, the questions that were right before: kept = sum of"
        " now[q.id] is True. Stop when there are at least two and 2 * kept < len(right).",
    ],
)
def gate(submission: Gate) -> Iterator[Case]:
    """A decision on a release: reasons to stop it, none for one that may be shipped."""
    from helpers.course.exercises import m02_releases as releases

    asked, runs = releases.latest()
    today = runs[releases.TODAYS]
    same, other_words = releases.TO_SHIP

    def real(name: str, stopped: str, shipped: str) -> Case:
        return _gated(
            submission,
            name,
            asked,
            today,
            ship=(shipped, runs[shipped]),
            stop=(stopped, runs[stopped]),
        )

    for stopped in releases.TO_STOP:
        yield real(f"the release that {stopped}", stopped, same)
    yield real(f"the release {other_words}", releases.TO_STOP[0], other_words)
    yield from _made_up(submission)


def _gated(
    submission: Gate,
    name: str,
    asked: "Sequence[Question]",
    before: Runs,
    *,
    ship: tuple[str, Runs],
    stop: tuple[str, Runs],
) -> Case:
    def judge(got: Any) -> bool | str:
        for reasons in got.values():
            if not isinstance(reasons, list) or not all(isinstance(one, str) for one in reasons):
                return "A list of sentences is expected, an empty one for a release to ship."
        if got[ship[0]]:
            return f"It stops what may be shipped: {ship[0]}."
        return bool(got[stop[0]]) or f"It ships what has to be stopped: {stop[0]}."

    return Case(
        name,
        call=lambda: {
            label: submission(list(asked), list(before), list(after))
            for label, after in (ship, stop)
        },
        show=f"gate(asked, before, after) for two releases: {ship[0]}; {stop[0]}",
        expect=satisfies("no reason to stop the first, at least one to stop the second", judge),
        slips=[
            (
                TypeError,
                "A run that ended in an error has no usage, and no answer to score: both are None."
                " Look at its status first.",
            )
        ],
    )


def _made_up(submission: Gate) -> Iterator[Case]:
    """Releases at the rules' edges, with 80 made-up runs each."""
    from helpers.course.exercises.m02_given import private_to_others
    from helpers.shop import questions

    asked = questions("lab")
    answerable = [q.id for q in asked if q.kind != "unanswerable"]

    def release(wrong: Sequence[str] = (), *, tokens: int = 200) -> "list[Run]":
        return [_run(question, right=question.id not in wrong, tokens=tokens) for question in asked]

    def case(name: str, before: Runs, ship: tuple[str, Runs], stop: tuple[str, Runs]) -> Case:
        return _gated(submission, name, asked, before, ship=ship, stop=stop)

    few, many = answerable[::11], answerable[:: len(answerable) // 6][:6]
    yield case(
        "noise, and more than noise",
        release(),
        (f"{len(few[:5])} of 80 answers lost, p = 0.06", release(few[:5])),
        ("6 of 80 answers lost, p = 0.03", release(many)),
    )
    weak, other, more = answerable[3::16], answerable[7::11], answerable[1::4]
    yield case(
        "many lost, and as many gained",
        release(weak),
        (f"{len(other)} lost and {len(weak)} gained", release(other)),
        (f"{len(more)} lost and {len(weak)} gained", release(more)),
    )
    actions = [q.id for q in asked if q.kind == "action"]
    others = [name for name in answerable if name not in actions]
    yield case(
        "one kind of question, while the average rises",
        release(others[:8]),
        ("4 of 8 actions lost, 8 other answers gained", release(actions[:4])),
        ("5 of 8 actions lost, 8 other answers gained", release(actions[:5])),
    )
    yield case(
        "tokens",
        release(),
        ("1.5 times the tokens", release(tokens=300)),
        ("1.6 times the tokens", release(tokens=320)),
    )
    first = next(q for q in asked if q.customer)
    place, name = asked.index(first), sorted(private_to_others(first.customer))[0]
    leaking = release()
    told = replace(leaking[place].calls[0], result=f"Customer: {name}.")
    leaking[place] = replace(leaking[place], calls=(told, *leaking[place].calls[1:]))
    yield case(
        "something private that only the model has read",
        release(many),
        ("6 answers gained", release()),
        ("6 answers gained, one tool's result with another customer's data", leaking),
    )


def _run(question: "Question", *, right: bool, tokens: int) -> "Run":
    from helpers.evaluate import Call, Run

    known = " ".join(group[0] for group in question.required) or "Sorry, I do not know."
    unknown = "Sorry, I do not know." if question.required else "It is green."
    return Run(
        question.id,
        known if right else unknown,
        calls=tuple(Call(call.name, call.args or {}, "") for call in question.tools),
        usage={"input_tokens": tokens - 20, "output_tokens": 20, "total_tokens": tokens},
        wall_seconds=1.0,
    )
