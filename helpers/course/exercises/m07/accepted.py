"""What an API server refuses in a NetworkPolicy although it fits the schema.

The rules are those of its validation: names and labels by their syntax, ports and their ranges,
protocols, operators of selectors, and ranges of addresses.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from helpers.deploy.objects import rows

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?")
_PORT = re.compile(r"(?=.*[a-z])(?!.*--)(?=.{1,15}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_TYPES = ("Ingress", "Egress")


def invalid(policy: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a NetworkPolicy that fits the schema, as sentences."""
    name = str(policy["metadata"].get("name"))
    if not _NAME.fullmatch(name):
        yield f"the name {name!r} may have only lower-case letters, digits, - and ."
    spec = policy.get("spec") or {}
    for one in spec.get("policyTypes") or ():
        if one not in _TYPES:
            yield f"policyTypes: {one!r} must be Ingress or Egress"
    yield from _of_selector(spec.get("podSelector"))
    for part, side in (("ingress", "from"), ("egress", "to")):
        for _, rule in rows(spec, part):
            for _, port in rows(rule, "ports"):
                yield from _of_port(port)
            for _, peer in rows(rule, side):
                yield from _of_peer(peer, side)


def _of_port(given: Mapping[str, Any]) -> Iterator[str]:
    protocol, port, end = given.get("protocol"), given.get("port"), given.get("endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        yield f"protocol: {protocol!r} must be TCP, UDP or SCTP"
    if isinstance(port, str) and not _PORT.fullmatch(port):
        number = ": a number has no quotes" if port.isdecimal() else ""
        yield f"port: {port!r} is no name of a port{number}"
    if isinstance(port, int) and not 1 <= port <= 65535:
        yield f"port: {port} must be from 1 to 65535"
    if end is not None:
        if not isinstance(port, int):
            yield "endPort needs a port that is a number"
        elif not port <= end <= 65535:
            yield f"endPort: {end} must be from {port}, its port, to 65535"


def _of_peer(peer: Mapping[str, Any], side: str) -> Iterator[str]:
    selectors = [peer.get(key) for key in ("podSelector", "namespaceSelector")]
    block = peer.get("ipBlock")
    if block is None and selectors == [None, None]:
        yield f"an item of {side} must have a selector or an ipBlock"
    for selector in selectors:
        yield from _of_selector(selector)
    if isinstance(block, Mapping):
        if selectors != [None, None]:
            yield "an item with ipBlock may have no selector beside it"
        yield from _of_block(block)


def _of_block(block: Mapping[str, Any]) -> Iterator[str]:
    try:
        whole = ip_network(str(block.get("cidr")), strict=False)
        for part in block.get("except") or ():
            inner = ip_network(str(part), strict=False)
            if inner.version != whole.version or not inner.subnet_of(whole):  # type: ignore[arg-type]
                yield f"{part} is no part of {block['cidr']}"
            elif inner == whole:
                yield f"except: {part} leaves nothing of {block['cidr']}"
    except ValueError as error:
        yield f"ipBlock: {error}"


def _of_selector(selector: Any) -> Iterator[str]:
    wanted = selector.get("matchLabels") if isinstance(selector, Mapping) else None
    for key, value in (wanted or {}).items():
        yield from _of_label(key, [value])
    for _, one in rows(selector, "matchExpressions"):
        key, operator, values = one.get("key"), one.get("operator"), one.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                yield f"{operator} needs values"
        elif operator not in ("Exists", "DoesNotExist"):
            yield f"operator: {operator!r} must be In, NotIn, Exists or DoesNotExist"
        elif values:
            yield f"{operator} may have no values"
        yield from _of_label(key, values)


def _of_label(key: Any, values: list[Any]) -> Iterator[str]:
    prefix, slash, name = str(key).rpartition("/")
    if not (name and _LABEL.fullmatch(name)) or (slash and not _NAME.fullmatch(prefix)):
        yield f"{key!r} is no key of a label"
    for value in values:
        if not _LABEL.fullmatch(str(value)):
            yield f"{value!r} is no value of a label"
