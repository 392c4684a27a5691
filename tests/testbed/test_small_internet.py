"""The network with names: what it answers, and that it stops."""

import threading

import pytest

from helpers.security.controls.urls import UnsafeUrl, UrlGuard
from helpers.testbed import small_internet as net


async def test_the_network_answers_and_stops() -> None:
    before = threading.active_count()
    with net.network() as sites:
        guard = UrlGuard(hosts=[net.DOCS], resolve=sites.resolve)
        page = await sites.get(guard.check(f"https://{net.DOCS}/care"))
        assert (page.status_code, page.has_redirect_location) == (200, False)
        moved = await sites.get(guard.check(f"https://{net.DOCS}/old"))
        assert (moved.status_code, moved.headers["location"]) == (302, "/care")
        assert (await sites.get_by_name(f"https://{net.ADMIN}/keys")).text == net.KEYS
        assert (await sites.get_by_name(f"https://{net.INSIDE}/keys")).text == net.KEYS
        assert sites.visited[-2] == f"inside: {net.ADMIN}/keys"
        with pytest.raises(OSError, match="no such name"):
            sites.resolve("nowhere.example")
    assert threading.active_count() <= before


async def test_a_rebinding_name_changes_its_address_once() -> None:
    with net.network() as sites:
        found = [sites.resolve(net.REBINDING)[0] for _ in range(3)]
    assert found == [net.PUBLIC, net.INSIDE, net.INSIDE]


def test_what_is_hostile_is_refused_and_only_the_list_of_hosts_stops_all() -> None:
    with net.network() as sites:
        anywhere = UrlGuard(hosts=None, resolve=sites.resolve)
        passed = [url for url in net.HOSTILE if not anywhere.refuses(url)]
        assert len(net.HOSTILE) == 17
        assert passed == ["https://evil.example/?seen=FH-10742"]
        listed = UrlGuard(hosts=[net.DOCS, net.SHOP], resolve=sites.resolve)
        for url in net.HOSTILE:
            with pytest.raises(UnsafeUrl):
                listed.check(url)
