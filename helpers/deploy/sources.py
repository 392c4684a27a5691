"""YAML files, read within limits, with the line of each field.

The limits are checked on the stream of events, before anything is built: an anchor that stands for
a billion values, or brackets nested a hundred thousand deep, end the process otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]
"""The way from an object to one of its fields, such as `("spec", "replicas")`."""

IMAGES = "an entry of a kustomization's images"
"""In place of a kind: what sets the version of an image in any object."""
MOST_BYTES = 5_000_000
MOST_VALUES = 300_000
MOST_DEPTH = 100
_MOST_TRIED = 50


class ManifestError(ValueError):
    """Manifests that cannot be read or rendered; the message says what to do next."""


# The parser in C where there is one: it is ten times as fast.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """Reads scalars as Kubernetes does: dates, `10:30` and `=` are texts. No key comes twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen and key.value != "<<":
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _text(_: Any, node: yaml.ScalarNode) -> str:
    return str(node.value)


def _number(loader: Any, node: yaml.ScalarNode) -> Any:
    kind = node.tag.rpartition(":")[2]
    return node.value if ":" in node.value else getattr(loader, f"construct_yaml_{kind}")(node)


for _kind in ("timestamp", "value"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _text)
for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _number)


@dataclass(frozen=True)
class Source:
    """Where an object, or a part of one, is written.

    `node` is what is at `place` in the object; `name` may lack what kustomize puts around it.
    """

    file: str
    node: yaml.Node
    kind: str = ""
    name: str = ""
    place: Place = ()
    first_line: int = 0
    """Lines before the YAML text itself, where that is a text within a file."""
    body: Any = None
    """What the node says, where it is a whole document."""

    def line(self, node: yaml.Node) -> int:
        """The line of a node of this source, counted from 1."""
        return int(node.start_mark.line) + 1 + self.first_line

    def find(self, body: Any, place: Place) -> tuple[int, bool, int]:
        """How many steps of `place` are found here, whether with the value in `body`, the line."""
        node = mark = self.node
        if self.kind == IMAGES:
            texts = [scalar(node, key) for key in ("newTag", "digest", "newName")]
            image = str(get(body, *place)) if place[-1:] == ("image",) else ""
            sets = any(text and text in image for text in texts)
            return len(place) if sets else -1, sets, self.line(mark)
        if place[: len(self.place)] != self.place:
            return -1, False, self.line(mark)
        for steps in range(len(self.place), len(place)):
            if (found := _step(node, place[steps], get(body, *place[: steps + 1]))) is None:
                return steps, False, self.line(mark)
            mark, node = found
        return len(place), value(node) == get(body, *place), self.line(mark)


def get(body: Any, *place: str | int) -> Any:
    """What is at a place; None where there is nothing, or nothing of that shape."""
    for step in place:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def _step(node: yaml.Node, step: str | int, body: Any) -> tuple[yaml.Node, yaml.Node] | None:
    """The node to point at, and the one to go on with; members of lists are found by name."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, inner) for key, inner in node.value if key.value == str(step)), None)
    if not isinstance(node, yaml.SequenceNode) or not isinstance(step, int):
        return None
    if isinstance(body, Mapping) and "name" in body:
        found = _members(node).get(str(body["name"]))
    else:  # at its own place, or near it: a patch may have put others before it
        near = [*node.value[step : step + 1], *node.value[:_MOST_TRIED]]
        found = next((one for one in near if value(one) == body), near[0] if near else None)
    return (found, found) if found else None


@lru_cache(maxsize=32)
def _members(node: yaml.SequenceNode) -> dict[str, yaml.Node]:
    return {scalar(one, "name"): one for one in reversed(node.value)}


def field(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """What a mapping has under a key; None where there is no mapping or no such key."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((inner for name, inner in pairs if name.value == key), None)


def scalar(node: yaml.Node | None, *keys: str) -> str:
    """The text at a path of keys; empty where there is none."""
    for key in keys:
        node = field(node, key)
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def value(node: yaml.Node) -> Any:
    """What a node says. Raises YAMLError, ValueError or TypeError where it says nothing."""
    loader = _Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def read(path: Path) -> str:
    """The text of a file. Raises ManifestError where it is none, or too large."""
    try:
        if path.exists() and not path.is_file():
            raise ManifestError(
                f"{path} is no file: name a file of YAML, or a folder of such files"
            )
        if (size := path.stat().st_size) > MOST_BYTES:
            raise ManifestError(
                f"{path} has {size / 1e6:.0f} MB, and at most {MOST_BYTES / 1e6:.0f} MB are read:"
                " a manifest is a few kB; move other data out of the folder"
            )
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not text in UTF-8: name a file of YAML") from error
    except OSError as error:
        reason = error.strerror or error
        raise ManifestError(f"{path} cannot be read ({reason}): check its name") from error
    return text


def documents(text: str, file: str, first_line: int = 0) -> list[Source]:
    """Each document of a YAML text that is not empty. Raises ManifestError where it is none."""
    sources, node = [], None
    try:
        _within_limits(text)
        for node in yaml.compose_all(text, Loader=_Loader):
            if node is None or (isinstance(node, yaml.ScalarNode) and not node.value.strip()):
                continue  # nothing but comments between two `---`
            names = scalar(node, "kind"), scalar(node, "metadata", "name")
            sources.append(Source(file, node, *names, first_line=first_line, body=value(node)))
    except (yaml.YAMLError, ValueError, TypeError) as error:
        mark = getattr(error, "problem_mark", None) or (node and node.start_mark)
        where = f"{file}:{mark.line + 1 + first_line}" if mark else file
        said = str(getattr(error, "problem", None) or error).splitlines()[0]
        advice = "correct the YAML, and check again"
        if isinstance(error, ManifestError):
            advice = "write only the objects"
        elif "unhashable" in said:
            said, advice = "a key is not text", "render templates before they are checked"
        elif "{{" in text:
            advice = "it looks like a Helm template: render it with `helm template` first"
        raise ManifestError(f"{where}: {said}: {advice}") from error
    return sources


def _within_limits(text: str) -> None:
    """Count values as they are once anchors are put in, without putting them in."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = [(None, 0)]
    for event in yaml.parse(text, Loader=_Loader):
        size, anchor = 0, getattr(event, "anchor", None)
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((anchor, 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_.pop()
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == outer for outer, _ in open_):
                raise ManifestError(f"the anchor &{anchor} contains itself")
            size, anchor = sizes.get(str(anchor), 1), None
        elif isinstance(event, yaml.ScalarEvent):
            size = 1
        if anchor and size:
            sizes[anchor] = size
        outer, before = open_.pop()
        open_.append((outer, before + size))
        if before + size > MOST_VALUES:
            raise ManifestError(f"it has more than {MOST_VALUES:,} values with its anchors put in")
        if len(open_) > MOST_DEPTH:
            raise ManifestError(f"it is nested more than {MOST_DEPTH} deep")
