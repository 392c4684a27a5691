"""Attacks: the material, the secret that proves a leak, and the runner that counts successes."""

from helpers.security.attacks.canary import Canary
from helpers.security.attacks.heldout import Survey, heldout_attacks, survey
from helpers.security.attacks.installed import MissingMaterial
from helpers.security.attacks.material import (
    Attack,
    Benign,
    Planted,
    benign_requests,
    harmless_texts,
    spread,
    visible_attacks,
)
from helpers.security.attacks.results import BenignOutcome, Outcome, Report, Row, Try
from helpers.security.attacks.runner import NotSent, attack
from helpers.security.attacks.target import Setting, Target, attacked_model

__all__ = [
    "Attack",
    "Benign",
    "BenignOutcome",
    "Canary",
    "MissingMaterial",
    "NotSent",
    "Outcome",
    "Planted",
    "Report",
    "Row",
    "Setting",
    "Survey",
    "Target",
    "Try",
    "attack",
    "attacked_model",
    "benign_requests",
    "harmless_texts",
    "heldout_attacks",
    "spread",
    "survey",
    "visible_attacks",
]
