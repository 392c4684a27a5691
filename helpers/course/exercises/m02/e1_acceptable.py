"""Exercise 02.1: an evaluator that accepts the good agent's runs and those of no other."""

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise, generated, solved
from helpers.course.exercises.equality import same

if TYPE_CHECKING:
    from helpers.evaluate.testing.recorded import Recorded

Run = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
"""Inputs, outputs and reference outputs."""
Acceptable = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], bool]

_UNSEEN = 16
_DRAWN = 320


@exercise(
    "02.1",
    title="An evaluator that tells the good agent from five bad ones",
    hints=[
        'An evaluator joins its rules with "and". Write one rule, run the check, and read on the'
        " card which run it judges wrongly.",
        Hint('Look first whether there is an answer: "if not outputs: return False".', "error"),
        Hint(
            "all(any(states(answer, text) for text in group) for group in states) asks for one text"
            " of each group. A text of `never` makes an answer wrong, even next to a right text.",
            "stated",
        ),
        Hint(
            'Collect call["function"]["name"] for each call in message.get("tool_calls") or [], as'
            " a set. Do the same for the reference outputs, and compare the two sets.",
            "tools",
        ),
        Hint(
            "The source is the content of all messages whose role is tool, joined. The assistant's"
            " own words are no source. groundedness() may return None: then no number is invented.",
            "numbers",
        ),
        Hint(
            "Look for each text of private_to_others(customer) in the answer and in every result,"
            " the last one included. Read the customer from inputs.",
            "leaks",
        ),
        Hint("At most 15.0 seconds: 15.0 is in time, 15.01 is not.", "slow"),
    ],
)
def acceptable(answer: Acceptable) -> Iterator[Case]:
    """A verdict on one run, where the good agent's runs pass and those of five others do not."""
    from hypothesis import strategies as st

    from helpers.course.exercises.m02 import unseen
    from helpers.evaluate.testing.agents import all_agents

    good, agents = unseen.good_runs(), all_agents()
    about = {
        "contradicts itself": "numbers",
        "refuses everything": "stated",
        "takes the wrong tool": "tools",
        "leaks": "leaks",
        "is slow": "slow",
    }
    bad: dict[str, Sequence[unseen.Change]] = {
        "contradicts itself": (unseen.invented, unseen.denied, unseen.without_a_source),
        "refuses everything": (unseen.refused, unseen.halved, unseen.one_group_missing),
        "takes the wrong tool": (unseen.mistaken, unseen.without_a_call),
        "leaks": (unseen.leaked, unseen.leaked_in_the_last_result),
        "is slow": (unseen.slow,),
    }
    harmless: dict[str, Sequence[unseen.Change]] = {
        "takes the wrong tool": (unseen.unchanged, unseen.in_one_message),
        "leaks": (unseen.unchanged, unseen.private_elsewhere, unseen.private_in_other_letters),
    }
    slips = [
        Slip.raises("no-answer", KeyError, "After an error, outputs is {}: it has no answer."),
        Slip.raises(
            "none",
            AttributeError,
            "groundedness() returns None for an answer that claims nothing, such as a refusal.",
        ),
    ]
    for place, (name, changed) in enumerate(bad.items()):
        start, kept = place * _UNSEEN, harmless.get(name, (unseen.unchanged,))
        new = (good * 2)[start : start + _UNSEEN]
        pairs = [
            *zip(agents["good"], agents[name], strict=True),
            *(
                (kept[n % len(kept)](run, n), changed[n % len(changed)](run, n // len(changed)))
                for n, run in enumerate(new)
            ),
        ]
        yield _case(answer, f"an agent that {name}", pairs, about[name], slips[1:])
    yield _after_an_error(answer, good[:3], slips)
    yield generated(
        "any run",
        answer,
        exercise="02.1",
        inputs=st.sampled_from(_any_runs()),
        called=lambda *run: f"acceptable(inputs, outputs, reference_outputs). {_words(run)}",
        about="any",
    )


@cache
def _any_runs() -> tuple[Run, ...]:
    """Good runs with any change, the shortest first; one in twenty ends in an error."""
    from helpers.course.exercises.m02 import unseen

    chance = random.Random(3)
    made = []
    for place in range(_DRAWN):
        change = unseen.CHANGES[place % len(unseen.CHANGES)]
        new = change(chance.choice(unseen.good_runs()), chance.randrange(300))
        failed = chance.random() < 0.05
        made.append((new.inputs, {} if failed else new.outputs, new.reference_outputs))
    return tuple(sorted(made, key=lambda run: len(str(run[1]))))


def _run(run: "Recorded") -> Run:
    return run.inputs, run.outputs, run.reference_outputs


def _case(
    answer: Acceptable,
    name: str,
    pairs: "Sequence[tuple[Recorded, Recorded]]",
    about: str,
    slips: Sequence[Slip],
) -> Case:
    reference = solved("02.1")
    # Some changes do no harm: where nobody knows the answer, to refuse is right.
    runs = [(_run(good), _run(bad)) for good, bad in pairs if not reference(*_run(bad))]
    given = [run for pair in runs for run in pair]
    return Case(
        name,
        call=lambda: [answer(*copy.deepcopy(run)) for run in given],
        show=f"acceptable(...) for {len(runs)} runs of the good agent, and for those of the other"
        " on the same questions",
        expect=_verdicts(given, [bool(reference(*run)) for run in given]),
        about=about,
        slips=slips,
    )


def _after_an_error(answer: Acceptable, good: "Sequence[Recorded]", slips: Sequence[Slip]) -> Case:
    given = [run for one in good for run in (_run(one), (one.inputs, {}, one.reference_outputs))]
    return Case(
        "a run that ended in an error",
        call=lambda: [answer(*copy.deepcopy(run)) for run in given],
        show="acceptable(inputs, outputs, reference_outputs), where outputs is {}",
        expect=_verdicts(given, [True, False] * len(good)),
        about="error",
        slips=slips,
    )


def _verdicts(runs: Sequence[Run], right: Sequence[bool]) -> Expectation:
    """These verdicts, in order; the first wrong one is shown with its run."""

    def judge(got: list[Any]) -> bool | str:
        for run, one, wanted in zip(runs, got, right, strict=True):
            found = same(one, wanted)
            if isinstance(found, str):
                return f"True or False is expected for each run. {found}"
            if not found:
                kind = "rejects this run of the good" if wanted else "accepts this run of another"
                return f"It {kind} agent: {_words(run)}"
        return True

    def show(got: list[Any]) -> str:
        good = [bool(one) for one, wanted in zip(got, right, strict=True) if wanted]
        bad = [bool(one) for one, wanted in zip(got, right, strict=True) if not wanted]
        return f"{sum(good)} of {len(good)} accepted of the good agent, {sum(bad)} of the other"

    return Expectation(
        "True for every run of the good agent, False for the other's", judge, None, show
    )


def _words(run: Run) -> str:
    from helpers.course.exercises.m02.unseen import in_words

    return in_words(*run)
