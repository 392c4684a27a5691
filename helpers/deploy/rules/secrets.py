"""Secrets in plain sight, and what containers and roles refer to."""

import re
from collections.abc import Iterator

from helpers.deploy.objects import Container, Objects, Pod, get, rows
from helpers.deploy.render import Item
from helpers.deploy.rules.registry import Problem, finds
from helpers.deploy.sources import Place

# A name that ends so holds a secret; `MAX_TOKENS`, `TOKEN_URL` and `PASSWORD_FILE` do not.
_SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:API_?KEY|(?:ACCESS|PRIVATE|SECRET|ENCRYPTION)_KEY|TOKEN|PASS(?:WORD|WD)?|SECRET"
    r"|CREDENTIALS?)$|PASSWORD$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"\bsk-[\w-]{16,}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bxox[abpr]-[\w-]{10,}|\blsv2_\w{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bhf_\w{20,}|://[^/\s:@$]+:[^/\s:@${(]+@"
)
# No secret: nothing, a number, a switch, a path, or a reference to another variable.
_HARMLESS = re.compile(r"\s*|[\d.]+|true|false|yes|no|null|/\S*|.*\$[({].*", re.IGNORECASE)


def is_secret(name: str, text: object) -> bool:
    """Whether a variable of this name and text shows a secret."""
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    named = _SECRET_NAME.search(spelled) and not _HARMLESS.fullmatch(str(text))
    return bool(named or _SECRET_VALUE.search(str(text)))


@finds
def in_plain_sight(objects: Objects) -> Iterator[Problem]:
    """Secrets in variables, arguments, ConfigMaps, and Secrets that are in the files."""
    for pod in objects.pods:
        for one in pod.containers:
            for place, row in rows(one.body, "env"):
                if is_secret(str(row.get("name")), row.get("value", "")):
                    what = f"{one.name}: the value of {row.get('name')} is in the file"
                    here = (*one.place, *place, "value")
                    yield Problem("secret-literal", pod.item, here, what)
            for key in ("command", "args"):
                for number, word in enumerate(one.body.get(key, [])):
                    flag, _, text = str(word).lstrip("-").partition("=")
                    if is_secret(flag if text and " " not in flag else "", text or word):
                        what = f"{one.name}: {key} contain a secret"
                        here = (*one.place, key, number)
                        yield Problem("secret-literal", pod.item, here, what)
    for item in objects.of("ConfigMap"):
        for name, text in (get(item.body, "data") or {}).items():
            if is_secret(name, text):
                what = f"the value of {name} is in the file"
                yield Problem("secret-literal", item, ("data", name), what)
    for item in objects.of("Secret"):
        for key in ("data", "stringData"):
            if get(item.body, key):
                what = "its values are in the file, and base64 hides nothing"
                yield Problem("secret-in-files", item, (key,), what)


@finds
def references(objects: Objects) -> Iterator[Problem]:
    """ConfigMaps, accounts and claims that pods name, and keys in them."""
    for pod in objects.pods:
        found = [(kind, name, place) for kind, name, place in _named(objects, pod)]
        for one in pod.containers:
            yield from _keys(objects, pod, one)
            found += [
                ("ConfigMap", str(source.get("name")), (*one.place, *place, "configMapRef", "name"))
                for place, row in rows(one.body, "envFrom")
                if (source := row.get("configMapRef")) and not source.get("optional")
            ]
        for kind, name, here in found:
            if objects.named(kind, name, pod.item.namespace) is None:
                what = f"there is no {kind} {name} in namespace {pod.item.namespace}"
                yield Problem("reference", pod.item, here, what, sure=not objects.makers)
    for item in objects.of("RoleBinding"):
        role = get(item.body, "roleRef") or {}
        name = str(role.get("name"))
        system = item.namespace.startswith("kube-")  # roles that every cluster has
        if role.get("kind") == "Role" and not (
            system or objects.named("Role", name, item.namespace)
        ):
            what = f"there is no Role {name} in namespace {item.namespace}"
            yield Problem("reference", item, ("roleRef", "name"), what)


def _named(objects: Objects, pod: Pod) -> Iterator[tuple[str, str, Place]]:
    account = pod.spec.get("serviceAccountName", "default")
    if account != "default":
        yield "ServiceAccount", account, (*pod.place, "serviceAccountName")
    for place, volume in rows(pod.spec, "volumes"):
        config = volume.get("configMap") or {}
        if config and not config.get("optional") and config.get("name") != "kube-root-ca.crt":
            yield "ConfigMap", str(config.get("name")), (*pod.place, *place, "configMap", "name")
        if claim := get(volume, "persistentVolumeClaim", "claimName"):
            here = (*pod.place, *place, "persistentVolumeClaim", "claimName")
            yield "PersistentVolumeClaim", str(claim), here


def _keys(objects: Objects, pod: Pod, one: Container) -> Iterator[Problem]:
    """Variables that take their value from a key of a ConfigMap or Secret."""
    for place, row in rows(one.body, "env"):
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            source = get(row, "valueFrom", field)
            if not source or source.get("optional"):
                continue
            name, key = str(source.get("name")), source.get("key")
            here = (*one.place, *place, "valueFrom", field)
            item = objects.named(kind, name, pod.item.namespace)
            if item and key not in _data(item):
                what = f"{kind} {name} has no key {key}"
                yield Problem("reference", pod.item, (*here, "key"), what)
            elif not item and kind == "ConfigMap":
                what = f"there is no ConfigMap {name} in namespace {pod.item.namespace}"
                yield Problem("reference", pod.item, (*here, "name"), what, sure=not objects.makers)


def _data(item: Item) -> set[str]:
    return {key for part in ("data", "stringData", "binaryData") for key in item.body.get(part, {})}
