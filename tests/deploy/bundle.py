"""The right bundle, and ways to break it."""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from helpers.deploy import Finding, check_objects
from helpers.deploy.render import load

RIGHT = Path(__file__).parent / "right"
POD = "spec.template.spec"
BOX = f"{POD}.containers.0"
GONE: Any = object()


@cache
def right() -> list[dict[str, Any]]:
    return [item.body for item in load(RIGHT)]


def bundle() -> dict[str, dict[str, Any]]:
    """The right objects, by kind and name; the ConfigMap's name has a hash at its end."""
    return {
        f"{body['kind']} {body['metadata']['name'].partition('-')[0]}": copy.deepcopy(body)
        for body in right()
    }


def put(body: Any, path: str, value: Any) -> None:
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        body = body.setdefault(step, {}) if isinstance(step, str) else body[step]
    if value is GONE:
        del body[last]
    else:
        body[last] = value


def changed(changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The right objects with changes, each by `Kind name: path`; a whole object by its name."""
    objects = bundle()
    for place, value in changes.items():
        name, _, path = place.partition(": ")
        if path:
            put(objects[name], path, value)
        elif value is GONE:
            del objects[name]
        else:
            objects[name] = value
    return list(objects.values())


def found(changes: Mapping[str, Any]) -> dict[str, str]:
    """What is found after changes: severity by rule."""
    return {one.rule: one.severity for one in check_objects(changed(changes))}


def rules(findings: list[Finding]) -> set[str]:
    """The rules that are broken."""
    return {one.rule for one in findings}
