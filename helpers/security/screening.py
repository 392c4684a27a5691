"""Screens judged by author: what does a screen find of people whom it has not learnt from?"""

from collections.abc import Mapping, Sequence
from typing import Final

from helpers.evaluate.proportion import Proportion
from helpers.security.attacks.heldout import ACTION
from helpers.security.attacks.material import Attack
from helpers.security.attacks.wording import WORDINGS
from helpers.security.controls.screen import Flag

LEAST: Final = 9
"""Texts of a family at least: a rate of fewer says nothing."""

_NAMES: Final = [name for wording in WORDINGS.values() for name in (wording.request, wording.thing)]
_CARRIED: Final = (ACTION, *_NAMES)


def written(attack: Attack, *, request: bool = True) -> str:
    """The attacker's text: what is said to the agent, or what was planted.

    Held-out prompts all carry the same request, Fernhill's. Without `request` it is taken out, and
    what is left is the author's own: otherwise a screen may learn the request and not the author.
    """
    text = attack.planted.text if attack.planted else attack.request
    if request:
        return text
    for carried in _CARRIED:
        text = text.replace(carried, "")
    return text


def by_family(
    attacks: Sequence[Attack], *, request: bool = True, least: int = LEAST
) -> dict[str, list[str]]:
    """The attackers' texts by family; families of fewer than `least` are left out."""
    texts: dict[str, list[str]] = {}
    for attack in attacks:
        texts.setdefault(attack.family, []).append(written(attack, request=request))
    return {family: found for family, found in texts.items() if len(found) >= least}


def caught(flag: Flag, texts: Mapping[str, Sequence[str]]) -> dict[str, Proportion]:
    """How many of each group of texts a screen holds for attacks."""
    return {name: Proportion.of(map(flag, found)) for name, found in texts.items()}
