"""`course ray config FILE`: what is wrong in a `serve.yaml`, before a cluster is given it.

Ray's `ServeDeploySchema` rejects bad values, but accepts keys that it does not know, so that an old
Ray can read a newer file. A mistyped `num_replica` is then ignored without a word. Here each key is
compared with those that the schema of this Ray version has.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

Place = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """A safe loader that accepts no key twice: YAML would drop the first without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """What a YAML text says. Raises ValueError, which names the line, where it is none."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"{where}{getattr(error, 'problem', None) or error}") from error


def problems(text: str) -> list[str]:
    """All that is wrong in a Serve config file, each with its path; empty where nothing is."""
    from ray.serve.schema import ServeDeploySchema

    try:
        content = load(text)
    except ValueError as error:
        return [f"{error}: correct the YAML, and check again"]
    if not isinstance(content, dict):
        return ["it has no keys: begin with `applications:`, as `serve build` writes it"]
    return list(dict.fromkeys(_problems(ServeDeploySchema, content, ())))


def _problems(model: type[BaseModel], value: dict[Any, Any], place: Place) -> Iterator[str]:
    for key in value:
        if key not in model.model_fields:
            yield f"{path((*place, key))} is not known to Ray, which ignores it{_hint(model, key)}"
    yield from _bad_values(model, value, place)
    for name, field in model.model_fields.items():
        for at, inner in _inner(value.get(name), (*place, name)):
            if name == "runtime_env":
                yield from _runtime_env(inner, at)
            elif nested := next(_models(field.annotation), None):
                yield from _problems(nested, inner, at)


def _inner(value: Any, place: Place) -> Iterator[tuple[Place, dict[Any, Any]]]:
    """The mappings in a field's value: itself, or those of a list."""
    if isinstance(value, dict):
        yield place, value
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _inner(each, (*place, number))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type such as `Optional[List[DeploymentSchema]]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None:
        for each in get_args(annotation):
            yield from _models(each)


def _bad_values(model: type[BaseModel], value: dict[Any, Any], place: Place) -> Iterator[str]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        for each in error.errors():
            if each["type"] != "extra_forbidden":  # such a key has been named already
                where = path((*place, *each["loc"])) or "the file"
                yield f"{where}: {each['msg'].removeprefix('Value error, ')}"


def _runtime_env(value: dict[Any, Any], place: Place) -> Iterator[str]:
    from ray.runtime_env import RuntimeEnv

    known = sorted(name for name in RuntimeEnv.known_fields if not name.startswith("_"))
    for key in value:
        if key not in known:
            yield f"{path((*place, key))} is not known to Ray{nearest(key, known)}"


def nearest(key: Any, known: Sequence[str]) -> str:
    """The words that name the nearest right key, empty where none is near."""
    found = get_close_matches(str(key), known, n=1)
    return f": did you mean {found[0]}?" if found else ""


def _hint(model: type[BaseModel], key: Any) -> str:
    for name, field in model.model_fields.items():  # a right key one level too high
        if any(key in nested.model_fields for nested in _models(field.annotation)):
            return f": it belongs under {name}"
    if hint := nearest(key, list(model.model_fields)):
        return hint
    return f": {model.__name__} has {', '.join(sorted(model.model_fields))}"


def path(place: Place) -> str:
    """A place as people write it: `applications[0].deployments[1].name`."""
    words = (f"[{each}]" if isinstance(each, int) else f".{each}" for each in place)
    return "".join(words).removeprefix(".")


def main(argv: Sequence[str]) -> int:
    """`course ray config`: say what is wrong in a file; 1 where there is a problem."""
    from helpers.scale import rayservice

    parser = argparse.ArgumentParser(
        prog="course ray config", description="Check a file before a cluster is given it."
    )
    parser.add_argument("file", type=Path, help="a serve.yaml, or the manifest of a RayService")
    file = parser.parse_args(argv).file
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        print(f"course ray config: {file} cannot be read ({error})", file=sys.stderr)
        return 1
    found = rayservice.problems(text) if rayservice.is_rayservice(text) else problems(text)
    for each in found:
        print(f"{file}: {each}")
    if not found:
        print(f"{file}: no problem found.")
    return int(bool(found))
