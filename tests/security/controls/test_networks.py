"""The table of special addresses: what it closes, what stays open, and what IPv6 forms carry."""

import ipaddress

import pytest

from helpers.security.controls.networks import SPECIAL, is_public, leads_to

PUBLIC = [
    "8.8.8.8",
    "93.184.215.14",
    "168.63.129.15",
    "168.63.129.17",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.169.0.1",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450:4001:82f::200e",
    "2001:200::1",
    "3ffd::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "2001:0:808:808::f7f7:f7f7",  # Teredo: server and client 8.8.8.8
    "2606:4700::5efe:808:808",
]

CLOSED = [
    # the issue's
    "192.0.0.192",
    "168.63.129.16",
    "3fff::1",
    # the ends of each IPv4 block
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.255",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "161.26.0.10",
    "166.8.0.1",
    "166.11.255.255",
    # IPv6
    "::",
    "::1",
    "::127.0.0.1",
    "100::1",
    "1fff::1",
    "2001:1::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "3ffe::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2606:4700::1111%eth0",
    # what carries an IPv4 address
    "::ffff:127.0.0.1",
    "::ffff:192.0.0.192",
    "::ffff:0:127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::168.63.129.16",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::f7f7:f7f7",  # the server is inside
    "2001:0:808:808::80ff:fffe",  # the client is 127.0.0.1
    "2606:4700::5efe:a00:1",
    "2606:4700::200:5efe:a9fe:a9fe",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", CLOSED)
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("network", SPECIAL)
def test_both_ends_of_each_block_are_closed(network: str) -> None:
    block = ipaddress.ip_network(network)
    assert not is_public(block[0])
    # ::/3 ends with addresses that carry nothing, and holds 64:ff9b::/96, which carries others.
    assert not is_public(block[-1])


def test_the_table_is_stricter_than_any_python() -> None:
    """What this Python's own tables call private or reserved, the table closes too."""
    for address in map(ipaddress.ip_address, PUBLIC):
        for each in leads_to(address):
            assert each.is_global
            assert not each.is_reserved


@pytest.mark.parametrize(
    ("address", "expect"),
    [
        ("8.8.8.8", ["8.8.8.8"]),
        ("2606:4700::1111", ["2606:4700::1111"]),
        ("::ffff:a9fe:a9fe", ["169.254.169.254"]),
        ("64:ff9b::a9fe:a9fe", ["169.254.169.254"]),
        ("2002:a9fe:a9fe:5::1", ["169.254.169.254"]),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", ["65.54.227.120", "192.0.2.45"]),  # RFC 4380
        ("2606:4700::5efe:10.0.0.1", ["2606:4700::5efe:a00:1", "10.0.0.1"]),
    ],
)
def test_what_an_address_leads_to(address: str, expect: list[str]) -> None:
    assert [str(each) for each in leads_to(ipaddress.ip_address(address))] == expect
