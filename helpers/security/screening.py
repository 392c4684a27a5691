"""What a screen learns from: the attackers' own words."""

from typing import Final

from helpers.security.attacks.heldout import ACTION
from helpers.security.attacks.material import Attack
from helpers.security.attacks.wording import WORDINGS

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
