"""A judge's verdicts on the labelled answers, from a stored run where there is one."""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from helpers.evaluate import judge as judge_module
from helpers.evaluate.evidence import fast_mode
from helpers.evaluate.judge import Judge, Progress, Verdict, judge_all, lean_all
from helpers.evaluate.labelled import Labelled
from helpers.evaluate.stored import Item, Step
from helpers.evaluate.stored_answers import guarded, is_local
from helpers.evaluate.version import Version, current_version

SPOT = 2
"""Answers that are judged again before stored verdicts are taken for a judge's."""


def verdicts_or_read(
    name: str,
    judge: Judge,
    answers: Sequence[Labelled],
    progress: Progress = iter,
    *,
    live: bool = False,
) -> list[dict[str, Any]]:
    """A judge's verdicts on labelled answers, from the stored run `name` or live.

    A stored run is read when it is of this model and way of judging, and when the judge, asked two
    of them now, gives the stored verdicts. Arguments and errors are those of `run_or_read`.

    Returns:
        One dict an answer, in the order of `answers`: `question`, `answer`, `label` (whether a
        person calls it grounded), `verdict` (True, False, or None for a reply that cannot be
        used), `reason` (a sentence), and `lean` (the chance of a yes as first word, 0 to 1; None
        where the model gives no probabilities).
    """
    if fast_mode():
        verdicts = [_verdict(said) for said in judge_all(judge, answers, progress=progress)]
        leans = [{"lean": lean} for lean in lean_all(judge, answers, progress=progress)]
    else:
        verdicts, leans = _stored(name, judge, answers, progress, live=live)
    return [
        {
            "question": each.question,
            "answer": each.answer,
            "label": each.grounded,
            "verdict": verdict["accepted"],
            "reason": verdict["reason"],
            "lean": lean["lean"],
        }
        for each, verdict, lean in zip(answers, verdicts, leans, strict=True)
    ]


_Found = list[dict[str, Any]]


def _stored(
    name: str, judge: Judge, answers: Sequence[Labelled], progress: Progress, *, live: bool
) -> tuple[_Found, _Found]:
    """What the judge said and how it leans, in the order of the answers."""
    step = Step(name, version=version(), live=live, of="judge")
    by_key = {key_of(each): each for each in answers}
    spot = list(by_key)[:: max(1, len(by_key) // SPOT)][:SPOT] if is_local() else []

    def read(section: str, ask: Callable[[Labelled], dict[str, Any]], *, last: bool) -> _Found:
        found = step.answers(
            list(by_key),
            lambda key: _timed(lambda: ask(by_key[key])),
            section=section,
            spot=spot,
            last=last,
            progress=lambda keys: (
                key_of(each) for each in progress([by_key[key] for key in keys])
            ),
        )
        of_key = {key: dict(item.content) for key, item in zip(by_key, found, strict=True)}
        return [of_key[key_of(each)] for each in answers]

    with guarded(step, judge.model, 2 * len(by_key)):
        verdicts = read("verdict", lambda each: _verdict(judge_all(judge, [each])[0]), last=False)
        leans = read("lean", lambda each: {"lean": lean_all(judge, [each])[0]}, last=True)
    return verdicts, leans


def _verdict(said: Verdict) -> dict[str, Any]:
    return {"accepted": said.accepted, "reason": said.reason}


def version() -> Version:
    """What a verdict depends on: the model and how the judge asks it; no part of the agent."""
    parts = current_version().only(("model", "settings", "packages")).parts
    text = Path(judge_module.__file__).read_text(encoding="utf-8")
    return Version({**parts, "judge": hashlib.sha256(text.encode()).hexdigest()})


def key_of(each: Labelled) -> str:
    """Names an answer by all that the judge reads."""
    text = "\0".join([each.question, each.source, each.answer])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _timed(ask: Callable[[], dict[str, Any]]) -> Item:
    cpu, wall = time.process_time(), time.perf_counter()
    content = ask()
    return Item(content, time.process_time() - cpu, time.perf_counter() - wall)
