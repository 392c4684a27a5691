"""Secrets in plain sight, and what pods refer to."""

import re
from collections.abc import Iterator
from typing import Any

from helpers.deploy.finding import Problem
from helpers.deploy.objects import Objects, Pod, get, rows
from helpers.deploy.sources import Place

# A name that ends so holds a secret; `MAX_TOKENS`, `TOKEN_URL` and `PASSWORD_FILE` do not.
_SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:API_?KEY|(?:ACCESS|PRIVATE|SECRET|ENCRYPTION)_KEY|TOKEN"
    r"|PASS(?:WORD|WD|PHRASE)?|PW|SECRET|CREDENTIALS?)$|(?:PASSWORD|REQUIREPASS)$",
    re.IGNORECASE,
)
# Other keys may be secret or not (`PRIMARY_KEY=id`): their value decides.
_KEY_NAME = re.compile(r"(?:KEYS?|AUTH|SALT)$", re.IGNORECASE)
_PUBLIC_NAME = re.compile(r"PUBLIC|PUBLISHABLE|SITE_?KEY|FINGERPRINT", re.IGNORECASE)
_RANDOM = re.compile(r"(?!/)[\w+/-]{16,}={0,2}")
_CHANGE = re.compile(r"(?<=[A-Za-z])\d|(?<=\d)[A-Za-z]")
# A line of a file, or a word of a command, such as `TRANSLATOR_KEY=...` or `"key": "..."`.
_INSIDE = re.compile(r"(?<![\w.-])([\w.-]{1,100})[\"']?[ \t]*[=:][ \t]*[\"']?([\w+/-]{16,}={0,2})")
_SECRET_VALUE = re.compile(
    r"\bsk-[\w-]{16,}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bxox[abpr]-[\w-]{10,}|\blsv2_\w{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bhf_\w{20,}|://[^/\s:@$]*:[^/\s:@${(<]+@"
)
# No secret: nothing, a number, a switch, a path, or a reference to another variable.
_HARMLESS = re.compile(r"\s*|[\d.]+|true|false|yes|no|null|/\S*|.*\$[({].*", re.IGNORECASE)


def is_secret(name: str, text: object) -> bool:
    """Whether a variable of this name and text shows a secret."""
    value = str(text)
    named = _SECRET_NAME.search(_spelled(name)) and not _HARMLESS.fullmatch(value)
    inside = any(_is_key(*found.groups()) for found in _INSIDE.finditer(value))
    return bool(named or _is_key(name, value) or inside or _SECRET_VALUE.search(value))


def _is_key(name: str, value: str) -> bool:
    """Whether this is a key or the like, and its value looks random."""
    spelled = _spelled(name)
    wanted = _KEY_NAME.search(spelled) or _SECRET_NAME.search(spelled)
    if not wanted or _PUBLIC_NAME.search(spelled) or not _RANDOM.fullmatch(value):
        return False
    # Letters and digits alternate within a word, as in no version, date or region.
    changes = [len(_CHANGE.findall(word)) for word in re.findall(r"[A-Za-z0-9]{8,}", value)]
    return max(changes, default=0) >= 2 and len(_CHANGE.findall(value)) >= 3


def _spelled(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def in_plain_sight(objects: Objects) -> Iterator[Problem]:
    """What was committed once is in the history of the repository for good."""
    for _, one in objects.containers:
        for place, row in rows(one.body, "env"):
            if is_secret(str(row.get("name")), row.get("value", "")):
                what = f"the value of {row.get('name')} is in the file"
                yield one.problem("secret-literal", what, *place, "value")
        for key in ("command", "args"):
            before = ""
            for number, word in enumerate(map(str, one.body.get(key, []))):
                flag, _, text = word.lstrip("-").partition("=")
                if not text or " " in flag:  # `--password`, and its value as the next word
                    flag, text = before if word[:1] != "-" else "", word
                before = word.lstrip("-") if word[:1] == "-" else ""
                if is_secret(flag, text):
                    yield one.problem("secret-literal", f"{key} contain a secret", key, number)
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


def references(objects: Objects) -> Iterator[Problem]:
    """A pod that refers to what is not there waits for it, and nothing names what is missing.

    A Secret may be made elsewhere, as it should be: where it is not in the set it is not asked for.
    """
    for pod in objects.pods:
        for kind, name, key, place in _named(pod):
            item = objects.named(kind, name, pod.item.namespace)
            if item is None and kind != "Secret":
                what = f"there is no {kind} {name} in namespace {pod.item.namespace}"
                yield Problem("reference", pod.item, place, what, sure=not objects.makers)
            elif item and key and key not in _keys(item.body):
                what = f"{kind} {name} has no key {key}"
                yield Problem("reference", pod.item, (*place[:-1], "key"), what)


def _named(pod: Pod) -> Iterator[tuple[str, str, str, Place]]:
    """What a pod needs: kind, name, the key if it is one, and the place of the name."""
    account = pod.spec.get("serviceAccountName", "default")
    if account != "default":
        yield "ServiceAccount", account, "", (*pod.place, "serviceAccountName")
    sources: list[tuple[str, Place, str]] = [
        (kind, (*pod.place, *place, field), name)
        for place, _ in rows(pod.spec, "volumes")
        for kind, field, name in (
            ("ConfigMap", "configMap", "name"),
            ("PersistentVolumeClaim", "persistentVolumeClaim", "claimName"),
        )
    ]
    for one in pod.containers:
        for place, _ in rows(one.body, "envFrom"):
            sources.append(("ConfigMap", (*one.place, *place, "configMapRef"), "name"))
        for place, _ in rows(one.body, "env"):
            for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
                sources.append((kind, (*one.place, *place, "valueFrom", field), "name"))
    for kind, place, field in sources:
        source = get(pod.item.body, *place) or {}
        name = source.get(field)
        if name and not source.get("optional") and name != "kube-root-ca.crt":
            yield kind, name, source.get("key", ""), (*place, field)


def _keys(body: dict[str, Any]) -> set[str]:
    return {key for part in ("data", "stringData", "binaryData") for key in get(body, part) or {}}
