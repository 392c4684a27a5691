"""Check a KubeRay `RayService` manifest (`ray.io/v1`) without a cluster.

`rayservice.schema.json` is a trimmed copy of the resource's own schema; it names its source. What a
schema cannot say is checked here: the Serve config in the manifest, and that each pod names its
image and what it needs, from which KubeRay derives what Ray may use.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from helpers.scale import serve_config
from helpers.scale.serve_config import nearest, path

SCHEMA = Path(__file__).with_name("rayservice.schema.json")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_HANDLERS = {"exec", "grpc", "httpGet", "tcpSocket"}
_HEALTH = "/-/healthz"


def problems(text: str) -> list[str]:
    """All that is wrong in a manifest, each with its path; empty where nothing is."""
    try:
        manifest = serve_config.load(text)
    except ValueError as error:
        return [f"{error}: correct the YAML, and check again"]
    errors = sorted(_validator().iter_errors(manifest), key=lambda error: path(tuple(error.path)))
    found = [line for error in errors for line in _said(error)]
    # What has the wrong shape is not looked into any further.
    return found or [*_serve_config(manifest["spec"]), *_cluster(manifest["spec"])]


def is_rayservice(text: str) -> bool:
    """Whether a YAML text says that it is a RayService."""
    return bool(re.search(r"^kind:\s*[\"']?RayService\b", text, re.MULTILINE))


@cache
def _validator() -> Any:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _said(error: Any) -> Iterator[str]:
    place = tuple(error.path)
    if error.validator == "additionalProperties" and "properties" in error.schema:
        known = sorted(error.schema["properties"])
        for key in sorted(map(str, error.instance.keys() - set(known))):
            hint = nearest(key, known) or f": there are {', '.join(known)}"
            yield f"{path((*place, key))} is not a field of a RayService{hint}"
    else:
        yield f"{path(place) or 'the manifest'}: {error.message}"


def _serve_config(spec: Mapping[str, Any]) -> Iterator[str]:
    text = spec.get("serveConfigV2", "")
    if not text.strip():
        yield "spec.serveConfigV2 is empty: put the text of serve.yaml there, after a |"
        return
    if found := serve_config.problems(text):
        yield from (f"spec.serveConfigV2: {problem}" for problem in found)
        return
    host = serve_config.load(text).get("http_options", {}).get("host")
    if host in _LOOPBACK:
        yield (
            f"spec.serveConfigV2: http_options.host is {host}, where only the pod itself"
            ' reaches Serve: write "0.0.0.0", and let a NetworkPolicy limit who may connect'
        )


def _cluster(spec: Mapping[str, Any]) -> Iterator[str]:
    cluster, place = spec["rayClusterConfig"], "spec.rayClusterConfig"
    version = cluster.get("rayVersion")
    if not version:
        yield f"{place}.rayVersion is missing: write the Ray version of the image"
    yield from _pod(cluster["headGroupSpec"], f"{place}.headGroupSpec", version)
    for number, group in enumerate(cluster.get("workerGroupSpecs", [])):
        here = f"{place}.workerGroupSpecs[{number}]"
        least, most = group["minReplicas"], group["maxReplicas"]
        if not 0 <= least <= group.get("replicas", least) <= most:
            yield f"{here}: 0 <= minReplicas <= replicas <= maxReplicas does not hold"
        yield from _pod(group, here, version)
        yield from _asks_serve(group, here)


def _pod(group: Mapping[str, Any], place: str, version: str | None) -> Iterator[str]:
    containers = group["template"].get("spec", {}).get("containers", [])
    if not containers:
        yield f"{place}.template.spec.containers is empty: the first container runs Ray"
    for number, container in enumerate(containers):
        here = f"{place}.template.spec.containers[{number}]"
        yield from _image(container.get("image", ""), here, version if number == 0 else None)
        for kind in ("requests", "limits"):
            given = container.get("resources", {}).get(kind, {})
            if missing := [name for name in ("cpu", "memory") if name not in given]:
                yield f"{here}.resources.{kind} has no {' and no '.join(missing)}"
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            if name in container and len(_HANDLERS & container[name].keys()) != 1:
                yield f"{here}.{name} needs exactly one of {', '.join(sorted(_HANDLERS))}"


def _image(image: str, place: str, version: str | None) -> Iterator[str]:
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    if not image:
        yield f"{place}.image is missing: name the image that has Ray and the application"
    elif "@" not in image and tag in {"", "latest"}:
        yield f"{place}.image {image!r} changes under the same name: give it a version or a digest"
    elif "rayproject/ray:" in image and version and tag.partition("-")[0] != version:
        yield f"{place}.image has Ray {tag}, and rayVersion is {version}: make them the same"


def _asks_serve(group: Mapping[str, Any], place: str) -> Iterator[str]:
    """KubeRay adds a probe of the Serve proxy to workers, unless the manifest has its own."""
    container = group["template"].get("spec", {}).get("containers", [{}])[0]
    probe = container.get("readinessProbe")
    if probe is not None and _HEALTH not in json.dumps(probe):
        yield (
            f"{place}.template.spec.containers[0].readinessProbe replaces KubeRay's own and does"
            f" not ask Serve: let it ask {_HEALTH} on port 8000, or leave it out"
        )
