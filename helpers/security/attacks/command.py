"""`course attack`: how often attacks get the secret or a forbidden action out of the agent."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helpers.security.attacks.wording import DEFAULT, WORDINGS

if TYPE_CHECKING:
    from helpers.security.attacks.results import Report
    from helpers.security.attacks.target import Target

_FAST_ATTACKS, _FAST_BENIGN = 6, 3
"""What is asked in fast mode, evenly over all; nothing is filed then."""

FILED_BY = "course attack --agent defended --part heldout"
"""What writes the evidence of the item `security`."""

BY_CONSTRUCTION = (
    "The defended agent reads the secret nowhere, so that 'secret out' is zero by construction.",
    "Nor does it read what others wrote, unless the customer asks for it: 'planted text' is zero",
    "for labelled words. What is measured is the column of actions, and the harmless requests.",
)


def command(argv: Sequence[str]) -> int:
    """Run `course attack`; 0 when every conversation came to an end, else 1."""
    parser = argparse.ArgumentParser(
        prog="course attack",
        description="Attack the support agent, and ask it harmless requests that look suspicious. "
        "On the local model, visible takes about three minutes and heldout seven, at one try.",
    )
    parser.add_argument(
        "--agent",
        choices=("naive", "defended"),
        default="defended",
        help="with the secret in its prompt, or with the controls (defended)",
    )
    parser.add_argument(
        "--part",
        choices=("visible", "heldout"),
        default="visible",
        help="the course's own attacks, or those of other authors (visible). Look at heldout "
        "rarely, and tune on visible.",
    )
    parser.add_argument(
        "--wording",
        choices=tuple(WORDINGS),
        default=DEFAULT.name,
        help=f"what the secret is called in the prompt and in the attacks ({DEFAULT.name}). A "
        "request for the goodwill code looks to the local model like one for the goodwill "
        "discount, which hides leaks.",
    )
    parser.add_argument(
        "--tries", type=int, default=1, metavar="K", help="tries of each attack at most (1)"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument(
        "--send-to-provider",
        action="store_true",
        help="send the attacks to the hosted model of COURSE_MODEL; read its terms first",
    )
    options = parser.parse_args(argv)
    if options.tries < 1:
        parser.error("--tries: an attack is tried at least once")
    from helpers.models.errors import ModelError
    from helpers.security.attacks.installed import MissingMaterial
    from helpers.security.attacks.runner import NotSent

    try:
        found = _measure(options)
    except (ModelError, MissingMaterial, NotSent) as problem:
        print(f"course attack: {problem}", file=sys.stderr)
        return 1
    print(json.dumps(found, ensure_ascii=False) if options.json else "\n".join(found["text"]))
    return int(bool(found["errors"]))


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    from helpers.evaluate.evidence import fast_mode
    from helpers.evaluate.version import current_version
    from helpers.security import agents
    from helpers.security.attacks.filing import benign_lost, file_security
    from helpers.security.attacks.heldout import heldout_attacks, survey
    from helpers.security.attacks.material import benign_requests, spread, visible_attacks
    from helpers.security.attacks.runner import attack
    from helpers.security.attacks.table import as_data, as_lines, figures, survey_lines

    agent, part, wording = options.agent, options.part, WORDINGS[options.wording]
    version = current_version()
    fast = fast_mode()
    if part == "heldout":
        attacks = heldout_attacks(wording=wording)
    else:
        attacks = visible_attacks(wording=wording)
    benign = benign_requests()
    if fast:
        attacks, benign = spread(attacks, _FAST_ATTACKS), spread(benign, _FAST_BENIGN)

    def ask(target: "Target", some: Sequence[Any], k: int) -> "Report":
        return attack(
            target,
            some,
            tries=k,
            benign=benign,
            send_to_provider=options.send_to_provider,
            progress=_bar(target.name),
        )

    notes = BY_CONSTRUCTION if agent == "defended" else ()
    if agent == "naive":
        target = agents.naive_agent(note=agents.note_of(wording))
    else:
        target = agents.defended_agent()
    report = ask(target, attacks, options.tries)
    lines = [*as_lines(report), f"The secret is called the {wording.code}.", *notes]
    data = {
        **as_data(report),
        "part": part,
        "wording": wording.name,
        "version": version.digest,
    }
    if part == "heldout":
        lines += ["", *survey_lines(survey())]
    default = wording == DEFAULT
    if agent == "defended" and part == "heldout" and default and not fast:
        plain = ask(agents.plain_agent(), [], 1)
        lost = benign_lost(plain, report)
        data["benign_lost"] = figures(lost)
        lines += ["", f"harmless answers of the plain agent lost: {lost}"]
        lines.append(file_security(report, lost, command=FILED_BY, version=version))
    elif fast:
        lines += ["", "COURSE_FAST is on: a small sample, and no evidence was filed."]
    else:
        lines += ["", f"Evidence for the checklist is filed by: {FILED_BY}"]
    return {**data, "text": lines}


def _bar(name: str) -> Callable[[Iterable[Any]], Iterable[Any]]:
    from tqdm import tqdm

    return lambda some: tqdm(some, desc=name, unit="asked", file=sys.stderr, leave=False)


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {"attack": command}
