"""Which addresses anyone on the internet can reach, from a table of our own.

`ipaddress.is_global` changes from one Python to the next (3.11.7 takes 192.0.0.192 and 3fff::1 for
global, 3.13 does not) and knows no cloud. The table holds IANA's registries of special-purpose
addresses, as of 2025 (RFC 6890 and its updates:
https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry), multicast, and the addresses in public
space at which clouds answer their own machines alone.
"""

import ipaddress
from collections.abc import Mapping
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SPECIAL: Final[Mapping[str, str]] = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by a carrier; Alibaba's metadata service",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local; the metadata service of most clouds",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "IETF protocols; Oracle's metadata service",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "AS112 sink",
    "192.52.193.0/24": "multicast tunnels (AMT)",
    "192.88.99.0/24": "6to4 relays",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "AS112 sink",
    "198.18.0.0/15": "benchmarks",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved, broadcast",
    "168.63.129.16/32": "Azure's platform: metadata, DNS, health probes",
    "161.26.0.0/16": "IBM Cloud's services",
    "166.8.0.0/14": "IBM Cloud's service endpoints",
    # Outside 2000::/3 no IPv6 address is global unicast: loopback, private, link- and site-local
    # addresses, multicast, and the metadata services fd00:ec2::254 and fd20:ce::254.
    "::/3": "not global unicast",
    "4000::/2": "not global unicast",
    "8000::/1": "not global unicast",
    "2001::/23": "IETF protocols",
    "2001:db8::/32": "documentation",
    "2620:4f:8000::/48": "AS112 sink",
    "3ffe::/16": "the former 6bone",
    "3fff::/20": "documentation",
}
"""What is not public, and why."""

_SPECIAL: Final[list[Network]] = [ipaddress.ip_network(network) for network in SPECIAL]

_V4_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR: Final = ipaddress.IPv6Network("2002::/16")
_TEREDO: Final = ipaddress.IPv6Network("2001::/32")
_ISATAP: Final = 0x5EFE
"""Before the IPv4 address at the end, with or without the bit that says "unique"."""
_UNIQUE: Final = 0x0200_0000
_32_BITS: Final = 0xFFFF_FFFF


def is_public(address: Address) -> bool:
    """Whether anyone on the internet can reach what this address leads to.

    Stricter than `ipaddress`' own `is_global`, which counts multicast, deprecated site-local
    addresses and IPv6 forms that carry an IPv4 address inside among the global ones, so that
    `64:ff9b::a9fe:a9fe` would pass for more than the metadata service at 169.254.169.254 that it
    leads to. An address of an interface (`fe80::1%eth0`) is none of the internet.
    """
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        return False
    return not any(_is_special(each) for each in leads_to(address))


def leads_to(address: Address) -> tuple[Address, ...]:
    """The addresses that decide where packets go: those that an IPv6 address carries, or itself.

    IPv4-mapped addresses (RFC 4291), translated ones (NAT64, RFC 6052, the well-known prefix) and
    6to4 (RFC 3056) carry one IPv4 address; Teredo (RFC 4380) those of its server and its client;
    ISATAP (RFC 5214) one below a prefix of its own, which counts too. A NAT64 prefix that a network
    has chosen for itself looks like any other address: nothing here can know it.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    bits = int(address)
    low = ipaddress.IPv4Address(bits & _32_BITS)
    if address in _V4_MAPPED or address in _NAT64:
        return (low,)
    if address in _SIX_TO_FOUR:
        return (ipaddress.IPv4Address(bits >> 80 & _32_BITS),)
    if address in _TEREDO:
        # The client's address is written with every bit flipped.
        client = ipaddress.IPv4Address(int(low) ^ _32_BITS)
        return (ipaddress.IPv4Address(bits >> 64 & _32_BITS), client)
    if (bits >> 32 & _32_BITS) & ~_UNIQUE == _ISATAP:
        return (address, low)
    return (address,)


def _is_special(address: Address) -> bool:
    return any(address in network for network in _SPECIAL)
