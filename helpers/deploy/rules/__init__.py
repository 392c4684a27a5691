"""The rules: what is wrong in `rules.yaml`, and the functions that find it, by subject."""

from helpers.deploy.rules import (
    containers,
    isolation,
    naming,
    rollout,
    scaling,
    secrets,
    traffic,
)
from helpers.deploy.rules.registry import RULES, Problem, Rule, found_in

__all__ = [
    "RULES",
    "Problem",
    "Rule",
    "containers",
    "found_in",
    "isolation",
    "naming",
    "rollout",
    "scaling",
    "secrets",
    "traffic",
]
