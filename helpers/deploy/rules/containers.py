"""Containers: image, rights, and what they mount."""

from collections.abc import Iterator
from typing import Any

from helpers.deploy.objects import Objects, get, rows
from helpers.deploy.rules.registry import Problem, finds


@finds
def images(objects: Objects) -> Iterator[Problem]:
    """Images that may change under the same name."""
    for pod in objects.pods:
        for one in pod.containers:
            image = str(one.body.get("image", ""))
            tag = image.rpartition("/")[2].partition(":")[2]
            if not image:
                yield Problem("no-image", pod.item, one.place, f"{one.name} has no image")
            elif "@" not in image and tag in {"", "latest"}:
                what = f"{one.name} runs {image}, without a version"
                yield Problem("image-tag", pod.item, (*one.place, "image"), what)


@finds
def rights(objects: Objects) -> Iterator[Problem]:
    """What a process in a container may do."""
    for pod in objects.pods:
        outer = pod.spec.get("securityContext") or {}
        for one in pod.containers:
            own = one.body.get("securityContext") or {}
            dropped = [str(name).upper() for name in get(own, "capabilities", "drop") or []]
            broken = {
                "privileged": own.get("privileged") is True,
                "root-user": _may_be_root({**outer, **own}),
                "privilege-escalation": own.get("allowPrivilegeEscalation") is not False,
                "writable-root": own.get("readOnlyRootFilesystem") is not True,
                "capabilities": "ALL" not in dropped,
            }
            place = (*one.place, "securityContext") if own else one.place
            for rule, holds in broken.items():
                if holds:
                    yield Problem(rule, pod.item, place, one.name)


def _may_be_root(context: dict[str, Any]) -> bool:
    user = context.get("runAsUser")
    return user == 0 or (user is None and context.get("runAsNonRoot") is not True)


@finds
def mounts(objects: Objects) -> Iterator[Problem]:
    """Mounts without a volume, and two at one path."""
    for pod in objects.pods:
        volumes = {volume.get("name") for _, volume in rows(pod.spec, "volumes")}
        templates = rows(pod.item.body, "spec", "volumeClaimTemplates")
        volumes |= {get(claim, "metadata", "name") for _, claim in templates}
        for one in pod.containers:
            paths = set()
            for place, mount in rows(one.body, "volumeMounts"):
                name, path = mount.get("name"), mount.get("mountPath")
                here = (*one.place, *place)
                if name not in volumes:
                    what = f"{one.name} mounts {name}, which the pod does not declare"
                    yield Problem("mount-without-volume", pod.item, (*here, "name"), what)
                if path in paths:
                    what = f"{one.name} mounts two volumes at {path}"
                    yield Problem("mount-twice", pod.item, (*here, "mountPath"), what)
                paths.add(path)
