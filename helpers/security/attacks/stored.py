"""Attacks on several targets, from a stored run where there is one."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict

from helpers.evaluate.stored import Item, Step
from helpers.evaluate.stored_answers import guarded, is_local
from helpers.evaluate.version import AGENT, Version, current_version
from helpers.security.attacks.material import Attack, Benign
from helpers.security.attacks.results import Outcome, Report, Try
from helpers.security.attacks.runner import converse, judged, refuse_to_send
from helpers.security.attacks.target import Target, attacked_model

SPOT = 2
"""Harmless requests that are made again before stored answers are taken for the targets'."""

_CALLS = 2

Progress = Callable[[Iterable[str]], Iterable[str]]


def attack_or_read(
    name: str,
    targets: Mapping[str, Target],
    attacks: Sequence[Attack],
    *,
    benign: Sequence[Benign] = (),
    live: bool = False,
    send_to_provider: bool = False,
    progress: Progress = iter,
) -> dict[str, Report]:
    """A report for each target: one greedy try of each attack, and the harmless requests.

    They are read from the stored run `name` when it is of this version of agent and controls and of
    the same secrets, and when the first target, asked two harmless requests now, gives the stored
    answers. What is read, and what is not and why, is printed.

    Args:
        name: of the step, such as "03-controls".
        targets: what is attacked, by name. A stored run can only be of secrets that are the same on
            every run (`Canary("7QX4-KD92")`).
        attacks: as for `attack`.
        benign: as for `attack`.
        live: attack even where the course has a stored run.
        send_to_provider: as for `attack`.
        progress: may wrap the targets' names to show a bar.

    Raises:
        NotSent: as `attack` does.
        StoredRunError: a file of this name cannot be read.
    """
    model = attacked_model()
    refuse_to_send(model, send_to_provider)
    requests: dict[str, Attack | Benign] = {one.id: one for one in attacks}
    requests |= {f"honest: {one.request}": one for one in benign}
    honest = [key for key, one in requests.items() if isinstance(one, Benign)]
    spot = honest[:: max(1, len(honest) // SPOT)][:SPOT] if is_local() else []
    step = Step(name, version=_version(targets.values()), live=live)
    reports = {}

    def converses(target: Target) -> Callable[[str], Item]:
        def ask(key: str) -> Item:
            begin = time.perf_counter()
            said = converse(target, requests[key], model=model)
            return _as_item(said, time.perf_counter() - begin)

        return ask

    with guarded(step, model, _CALLS * len(targets) * len(requests)):
        for place, label in enumerate(progress(list(targets)), start=1):
            found = step.answers(
                list(requests),
                converses(targets[label]),
                section=label,
                spot=spot,
                last=place == len(targets),
                keep=lambda item: not item.content["error"],
            )
            tries = dict(zip(requests, map(_as_try, found), strict=True))
            reports[label] = Report(
                targets[label].name,
                1,
                tuple(Outcome(one, (tries[one.id],)) for one in attacks),
                tuple(judged(one, tries[f"honest: {one.request}"]) for one in benign),
            )
    return reports


def _version(targets: Iterable[Target]) -> Version:
    secrets = sorted({target.canary.code for target in targets})
    parts = current_version().only((*AGENT, "controls")).parts
    return Version({**parts, "secret": ", ".join(secrets)})


def _as_item(said: Try, seconds: float) -> Item:
    content = asdict(said)
    cpu_seconds = content.pop("cpu_seconds")
    return Item(json.loads(json.dumps(content)), cpu_seconds, seconds)


def _as_try(item: Item) -> Try:
    found = item.content
    return Try(
        answer=found["answer"],
        disguise=found["disguise"],
        leaked=found["leaked"],
        planted=found["planted"],
        actions=tuple(found["actions"]),
        tools=tuple(found["tools"]),
        usage=found["usage"],
        cpu_seconds=item.cpu_seconds,
        error=found["error"],
    )
