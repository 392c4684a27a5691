"""Validate objects against the strict schemas of Kubernetes, for several versions at once.

The schemas are those that `kubernetes-validate` carries. Its own `validate` reads 1.8 MB for each
object and version and names one fault of an object; a learner with three faults needs all three.
"""

import copy
import difflib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from kubernetes_validate.utils import (  # type: ignore[import-untyped]
    all_versions,
    major_minor,
    schema_contents,
)

from helpers.deploy.finding import Problem
from helpers.deploy.render import Item
from helpers.deploy.sources import ManifestError, Place, get

_FOLDER = "kubernetes-json-schema/v{}.0-local-strict"
_MOST_HINTS = 20
"""Mistyped fields of one object that get a suggestion, which takes a millisecond each."""
_KINDS = "x-kubernetes-group-version-kind"


@cache
def known_versions() -> tuple[str, ...]:
    """The versions of Kubernetes that there are schemas for, such as `1.37`, oldest first."""
    return tuple(dict.fromkeys(map(major_minor, all_versions())))


def chosen(versions: Sequence[str] | None) -> list[str]:
    """The versions to validate for: those given, or the newest and the two before.

    Raises:
        ManifestError: there is no schema of a version.
    """
    known = known_versions()
    wanted = [major_minor(one.removeprefix("v")) for one in versions or known[-3:]]
    if missing := [one for one in wanted if one not in known]:
        raise ManifestError(
            f"there is no schema of Kubernetes {', '.join(missing)}:"
            f" choose from {known[0]} to {known[-1]}"
        )
    return wanted


def is_known(item: Item) -> bool:
    """Whether the newest Kubernetes has this apiVersion and kind itself."""
    return (item.api, item.kind) in _kinds(known_versions()[-1])


def problems(item: Item, versions: Sequence[str]) -> Iterator[Problem]:
    """What the schemas say of an object, each fault once, with the versions that have it."""
    if not (item.api and item.kind and item.name):
        what = "this document needs apiVersion, kind and metadata.name"
        yield Problem("not-an-object", item, (), what)
        return
    found: dict[Problem, list[str]] = {}
    for version in versions:
        for problem in _of_version(item, version):
            found.setdefault(problem, []).append(version)
    for problem, affected in found.items():
        only = "" if affected == list(versions) else f" (Kubernetes {', '.join(affected)})"
        yield replace(problem, what=problem.what + only)


def usable(item: Item, found: Sequence[Problem]) -> Item:
    """The object without the values that have a wrong type, so that rules can rely on types."""
    body = copy.deepcopy(item.body)
    for problem in sorted(found, key=lambda one: len(one.place), reverse=True):
        if problem.rule == "schema-value" and problem.place:
            *outer, last = problem.place
            holder = get(body, *outer)
            if isinstance(holder, dict):
                holder.pop(last, None)
            else:
                holder[last] = {}  # in a list, so that the others keep their numbers
    return Item(body, item.sources)


def _of_version(item: Item, version: str) -> Iterator[Problem]:
    api, kinds = item.api, _kinds(version)
    if (api, item.kind) not in kinds:
        same = sorted(other for other, kind in kinds if kind == item.kind)
        group = api.rpartition("/")[0]
        built_in = group in {other.rpartition("/")[0] for other, _ in kinds}
        if built_in or (same and group in {"extensions", ""}):
            near = difflib.get_close_matches(item.kind, {kind for _, kind in kinds}, 1)
            hint = f": did you mean {near[0]}?" if near else ""
            hint = f": use {' or '.join(same)}" if same else hint
            what = f"{api} has no {item.kind}{hint}"
            yield Problem("unknown-api", item, ("apiVersion" if same else "kind",), what)
        else:
            what = f"{api} belongs to an extension whose schema is not here"
            yield Problem("not-checked", item, (), what)
        return
    for error in _validator(version, kinds[api, item.kind]).iter_errors(item.body):
        yield from _said(item, error)


def _said(item: Item, error: Any) -> Iterator[Problem]:
    place = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        for number, key in enumerate(sorted(error.instance.keys() - set(known))):
            near = difflib.get_close_matches(key, known, 1) if number < _MOST_HINTS else []
            hint = f": did you mean {near[0]}?" if near else f"; {spell(place) or 'here'} has none"
            yield Problem("schema-field", item, (*place, key), f"{key} is not a field{hint}")
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        for key in missing:
            yield Problem("schema-required", item, place, f"{spell((*place, key))} is missing")
    else:
        types = list(dict.fromkeys(_types(error.schema)))
        wanted = " or ".join(types) or error.message
        what = f"{spell(place)} is {_shown(error.instance)}, and has to be {wanted}"
        if error.validator == "enum":
            what = f"{spell(place)}: {error.message}"
        yield Problem("schema-value", item, place, what)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:50]}..."


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    given = schema.get("type", [])
    yield from (one for one in ([given] if isinstance(given, str) else given) if one != "null")
    for inner in itertools.chain(schema.get("oneOf", []), schema.get("anyOf", [])):
        yield from _types(inner)


def spell(place: Place) -> str:
    """A place as people write it: `spec.containers[0].image`."""
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place)[1:]


@cache
def _definitions(version: str) -> dict[str, Any]:
    file = f"{_FOLDER.format(version)}/_definitions.json"
    found: dict[str, Any] = schema_contents(file, version)
    return found


@cache
def _kinds(version: str) -> dict[tuple[str, str], str]:
    """By apiVersion and kind: the name of the definition."""
    return {
        (f"{one['group']}/{one['version']}".removeprefix("/"), one["kind"]): name
        for name, schema in _definitions(version)["$defs"].items()
        for one in schema.get(_KINDS, [])
        if "metadata" in schema.get("properties", {})
    }


@cache
def _validator(version: str, name: str) -> Any:
    return Draft202012Validator({**_definitions(version), "$ref": f"#/$defs/{name}"})
