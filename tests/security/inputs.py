"""What comes of inputs that controls once let through, or refused without a reason, as a table.

Run it with `python -m tests.security.inputs`. Each row is what the control says now. Where the
tests of this folder have the inputs in a table, it is theirs; they add siblings, and honest texts
that stay as they are.
"""

import base64
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.security.controls import allow_hosts
from helpers.security.controls.database import OwnRecords, QueryRefused
from helpers.security.controls.limits import estimated_tokens, model_tokens
from helpers.security.controls.output import ALLOWED_HOSTS, WITHHELD
from helpers.security.controls.personal import OthersData
from helpers.security.controls.pii import DETECTORS
from helpers.security.controls.urls import UnsafeUrl, UrlGuard
from helpers.security.policy.addresses import addresses
from helpers.shop import Orders, open_orders
from tests.security.attacks.targets import CANARY
from tests.security.attacks.test_spellings import CODINGS, LETTERS
from tests.security.controls.test_links_in_answers import OF_THE_ISSUE
from tests.security.controls.test_whole_messages import HIDING, filtered, said_in_turn

PUBLIC = "93.184.215.14"


@dataclass(frozen=True)
class Row:
    """One input, the control that it meets, what comes now, and whether that is as it should be."""

    control: str
    given: str
    now: str
    right: bool


def links() -> Iterator[Row]:
    """Addresses in an answer."""
    honest = "See https://fernhill.example."
    for text, shown in (*OF_THE_ISSUE, (honest, honest)):
        now = allow_hosts(text, ALLOWED_HOSTS)
        yield Row("addresses in an answer", text, now, now == shown)


def secrets() -> Iterator[Row]:
    """A secret in a message."""
    spelled = {name: [text] for name, text in LETTERS.items()} | CODINGS
    for how, texts in spelled.items():
        for text in texts:
            found = CANARY.leaked(text)
            yield Row(f"secret: {how}", text, "withheld" if found else "passes", found)
    halves = ("It begins 7QX.", "The rest is 4KD92, as you asked.")
    now = said_in_turn(halves)
    given, shown = " / ".join(halves), " / ".join(now)
    yield Row("secret: halves over two messages", given, shown, now == [halves[0], WITHHELD])
    for where, message in HIDING.items():
        text = filtered(message).text
        yield Row(f"secret in {where}", CANARY.code, text, text == WITHHELD)


PERSONAL = {
    "card": [
        "4111 1111 1111 1111 12/27",
        "4111 1111 1111 1111 123",
        "4111.1111.1111.1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111  1111  1111  1111",
        "3782 822463 10005",
        "3782-82246-310005",
    ],
    "phone": ["0044 7700 900123", "(+44) 7700 900123", "020-7946-0958"],
}


def personal() -> Iterator[Row]:
    """Personal data, redacted by kind, and that of others in an answer."""
    for kind, texts in PERSONAL.items():
        for text in texts:
            found = DETECTORS[kind](text)
            yield Row(kind, text, "redacted" if found else "passes", bool(found))
    others = OthersData.of(open_orders())
    for text in ("Eastgarth, Harriet", "01632.960077"):
        shown = others.shown(text, "C-0042")
        yield Row("data of others", text, "withheld" if shown else "passes", bool(shown))


def tokens() -> Iterator[Row]:
    """The bound on tokens, against the local model's own count."""
    texts = {
        "digits": "0123456789" * 40,
        "Base64": base64.b64encode(bytes(range(256))).decode(),
        "Chinese": "帐篷防水吗" * 40,
        "emoji": "🏕🥾" * 40,
    }
    for kind, text in texts.items():
        bound, true = estimated_tokens(text), model_tokens(text)
        yield Row(
            f"tokens of {kind}", f"{text[:12]}...", f"{true} of at most {bound}", true <= bound
        )


STATEMENTS = [
    "SELECT like('%' || hex(zeroblob(50000)) || 'b', hex(zeroblob(50000)))",
    "SELECT like('%" + "a" * 20_000 + "b', '" + "a" * 40_000 + "')",
    "EXPLAIN SELECT * FROM my_orders",
]


def database() -> Iterator[Row]:
    """Statements of a model over a customer's own records."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.sqlite"
        Orders(path).close()
        for statement in STATEMENTS:
            try:
                now, right = str(OwnRecords(path, "C-0042").query(statement)), False
            except (QueryRefused, sqlite3.Error) as error:
                now, right = f"refused: {error}", isinstance(error, QueryRefused)
            yield Row("database", statement, now, right)


def urls() -> Iterator[Row]:
    """URLs that a tool is to fetch."""
    guard = UrlGuard(hosts=None, ports=(443, 80), schemes=("http", "https"), resolve=lambda _: [])
    for url in (
        "https://192.0.0.192/",
        "https://168.63.129.16/",
        "https://[3fff::1]/",
        "https://93.184.215.14:0/",
    ):
        try:
            guard.check(url)
        except UnsafeUrl as error:
            yield Row("URL guard", url, f"refused: {error}", right=True)
        else:
            yield Row("URL guard", url, "allowed", right=False)
    both = ["2606:2800:21f::1", PUBLIC]
    german = UrlGuard(hosts=["bücher.example"], resolve=lambda _: both)
    target = german.check("https://bücher.example/")
    yield Row(
        "URL guard, a host of the list, two addresses",
        "https://bücher.example/",
        f"allowed, to be tried in order: {', '.join(target.addresses)}",
        list(target.addresses) == both,
    )


def words() -> Iterator[Row]:
    """Addresses in what a policy would pass as words."""
    for text in (
        "DE89 3704 0044 0532 0130 00",
        "203.0.113.7/x",
        "evil[.]example",
        "evil\u3002example",
    ):
        found = addresses(text)
        yield Row("a policy's words", text, ", ".join(found) or "no address", bool(found))


TABLES: tuple[Callable[[], Iterator[Row]], ...] = (
    links, secrets, personal, tokens, database, urls, words,
)  # fmt: skip


def rows() -> list[Row]:
    """Every input and what comes now."""
    return [row for table in TABLES for row in table()]


def _cell(text: str) -> str:
    short = text if len(text) <= 70 else f"{text[:67]}..."
    return short.encode("unicode_escape").decode().replace("|", "\\|")


if __name__ == "__main__":
    print("| control | input | what comes now | |\n|---|---|---|---|")
    for row in rows():
        mark = "" if row.right else "**wrong**"
        print(f"| {row.control} | `{_cell(row.given)}` | {_cell(row.now)} | {mark} |")
