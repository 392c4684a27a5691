"""The pages over HTTP: what they list, how they sort and filter, and that nothing gets through."""

import re
import unicodedata
import urllib.parse
from collections.abc import Callable
from html.parser import HTMLParser
from http.client import HTTPConnection
from typing import Any

import pytest
from langsmith import Client

from tests.tracing.sending import made, send
from tests.tracing.serving import KEY, Running, fresh
from tests.tracing.traces import HOSTILE, fill

Get = Callable[..., tuple[int, dict[str, str], str]]


@pytest.fixture(scope="module")
def project(client: Client) -> tuple[str, list[str]]:
    name = fresh("pages <b>")
    roots = fill(client, name)
    return str(client.read_project(project_name=name).id), roots


@pytest.fixture
def get(service: Running) -> Get:
    address = urllib.parse.urlsplit(service.url)

    def send(path: str, *, cookie: bool = True) -> tuple[int, dict[str, str], str]:
        connection = HTTPConnection(str(address.hostname), address.port)
        headers = {"Cookie": f"traces-{address.port}={KEY}"} if cookie else {}
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        found = reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read().decode()
        connection.close()
        return found

    return send


class Tags(HTMLParser):
    """The elements of a page, and whether any has an inline script or handler."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))


def names(html: str) -> list[str]:
    return re.findall(r'<a href="/traces/[^"]+">([^<]*)</a>', html)


def listed(get: Get, project: tuple[str, list[str]], **query: Any) -> list[str]:
    status, _, html = get(f"/projects/{project[0]}?{urllib.parse.urlencode(query)}")
    assert status == 200
    return names(html)


def test_the_list_of_projects(get: Get, project: tuple[str, list[str]]) -> None:
    status, _, html = get("/")
    assert status == 200
    assert "pages &lt;b&gt;" in html
    (row,) = [part for part in html.split("<tr>") if project[0] in part]
    assert "without 1 model run that have no price" not in row
    assert "without 1 model run that has no price" in " ".join(row.split())


def test_the_newest_requests_come_first(get: Get, project: tuple[str, list[str]]) -> None:
    first = listed(get, project)
    assert first[:2] == ["request 59", "request 58"]
    assert len(first) == 50
    assert listed(get, project, page=2)[-1] == "request 0"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"sort": "duration"}, {"request 2", "request 5"}),
        ({"sort": "cost", "order": "asc"}, {"request 0"}),
        ({"sort": "cost"}, {"request 59"}),
        ({"sort": "tokens"}, {"request 59"}),
        ({"sort": "name", "order": "desc"}, {"request 9"}),
        ({"sort": "time", "order": "asc"}, {"request 0"}),
        ({"sort": "no such column"}, {"request 59"}),
    ],
)
def test_sorting(
    get: Get, project: tuple[str, list[str]], query: dict[str, str], expected: set[str]
) -> None:
    found = listed(get, project, **query)
    if query["sort"] == "duration":
        assert all(int(name.split()[1]) % 3 == 2 for name in found[:19] if name.startswith("req"))
    else:
        assert found[0] in expected


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status": "error"}, 1),
        ({"name": "request 1"}, 11),
        ({"tag": "night"}, 30),
        ({"tag": HOSTILE}, 0),
        ({"filter": "gt(latency, 2.5)"}, 20),
        ({"filter": "gt(latency, 2.5)", "tag": "night"}, 10),
        ({"runs": "all", "type": "tool", "status": "error"}, 1),
        ({"name": "no such"}, 0),
    ],
)
def test_filtering(
    get: Get, project: tuple[str, list[str]], query: dict[str, str], count: int
) -> None:
    assert len(listed(get, project, **query)) == count


def test_a_wrong_filter_is_explained_on_the_page(get: Get, project: tuple[str, list[str]]) -> None:
    text = urllib.parse.quote('eq(name, "<script>")) and more')
    status, _, html = get(f"/projects/{project[0]}?filter={text}")
    assert status == 200
    assert "cannot be read from character" in html
    assert "<script" not in html


def test_a_trace_has_its_tree_its_bars_and_its_contents(
    get: Get, project: tuple[str, list[str]]
) -> None:
    status, _, html = get(f"/traces/{project[1][4]}")
    assert status == 200
    assert html.count("<rect") == 3
    assert re.findall(r'class="depth-(\d+)"', html) == ["0", "1", "1"]
    assert "&#34;question&#34;: &#34;question 4&#34;" in html
    assert "request 4" in html
    assert "C-0004" in html
    _, _, unpriced = get(f"/traces/{project[1][3]}")
    assert unpriced.count("no price") >= 2
    assert "$0<" not in unpriced


def test_hostile_text_stays_text(get: Get, project: tuple[str, list[str]]) -> None:
    pages = [
        f"/projects/{project[0]}?page=2",
        f"/projects/{project[0]}?name=%3Cscript%3E&tag=%22%3E%3Cscript%3E",
        f"/projects/{project[0]}?sort=%22%3E%3Cscript%3E&order=%22%3E%3Cscript%3E",
        f"/traces/{project[1][7]}",
        f"/traces/{project[1][5]}",
        "/traces/%3Cscript%3E",
        "/projects/%3Cscript%3E",
        "/o/x/projects/p/%3Cscript%3E",
    ]
    for path in pages:
        _, headers, html = get(path)
        elements = Tags(html).elements
        assert not {"script", "img", "iframe"} & {tag for tag, _ in elements}, path
        assert not [a for _, attributes in elements for a in attributes if a.startswith("on")], path
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
    assert "&lt;script&gt;" in get(pages[3])[2]


def test_the_key_becomes_a_cookie_and_leaves_the_address(
    get: Get, project: tuple[str, list[str]]
) -> None:
    assert get("/", cookie=False)[0] == 401
    assert get("/?key=wrong", cookie=False)[0] == 401
    status, headers, _ = get(f"/projects/{project[0]}?sort=cost&key={KEY}", cookie=False)
    assert status == 303
    assert headers["location"].endswith(f"/projects/{project[0]}?sort=cost")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=strict" in headers["set-cookie"]


def test_a_cookie_opens_pages_and_nothing_else(get: Get) -> None:
    assert get("/sessions")[0] == 401, "or a page of the web could write by a form"


def test_addresses_that_the_sdk_prints_lead_here(get: Get, project: tuple[str, list[str]]) -> None:
    tenant, (key, roots) = "00000000-0000-0000-0000-000000000000", project
    for path, target in (
        (f"/o/{tenant}/projects/p/{key}", f"/projects/{key}"),
        (f"/o/{tenant}/projects/p/{key}/r/{roots[0]}?poll=true", f"/traces/{roots[0]}"),
        (f"/o/{tenant}/datasets/{key}/compare?selectedSessions={key}", f"/projects/{key}"),
    ):
        status, headers, _ = get(path)
        assert (status, headers["location"]) == (303, target)
    assert get("/traces/00000000-0000-0000-0000-000000000001")[0] == 404


CONTROL = "nul \x00 esc \x1b[31m bell \x07 delete \x7f c1 \x9b turned \u202etxt.exe \ufeff end\ttab"


def test_control_characters_are_written_out(get: Get, client: Client, service: Running) -> None:
    """Before: pages held raw NUL and ESC; other controls and turned text are their siblings."""
    project = fresh("control") + CONTROL
    run = made(project, name=CONTROL, tags=[CONTROL], error=CONTROL,
               inputs={CONTROL: CONTROL}, outputs={"a": CONTROL},
               extra={"metadata": {CONTROL: CONTROL}})  # fmt: skip
    assert send(service, "POST", "/runs/batch", {"post": [run]}).status_code == 202
    session = client.read_project(project_name=project).id
    client.create_feedback(run["id"], CONTROL, score=1, comment=CONTROL, session_id=session)
    asked = {"name": CONTROL, "tag": CONTROL, "filter": f"eq(name, {CONTROL}"}
    query = urllib.parse.urlencode(asked)
    for path in ("/", f"/projects/{session}", f"/projects/{session}?{query}",
                 f"/traces/{run['id']}", "/traces/%00%1b"):  # fmt: skip
        _, _, page = get(path)
        hidden = {c for c in page if unicodedata.category(c) in ("Cc", "Cf")} - set("\n\t")
        assert not hidden, (path, hidden)
    page = get(f"/traces/{run['id']}")[2]
    for shown in (r"\x00", r"\x1b[31m", r"\x07", r"\x7f", r"\x9b", r"\u202e", r"\ufeff"):
        assert shown in page
