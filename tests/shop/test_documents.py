"""The documents: complete, of the promised size, and loaded strictly."""

import re
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from helpers.shop import (
    TODAY,
    Document,
    DocumentError,
    UnknownDocument,
    document,
    documents,
)
from helpers.shop.library import FOLDER, load_documents

ALL = documents(internal=True)
# Ofcom keeps 01632 960000 to 960999 free for drama: nobody can be called on them.
DRAMA_NUMBER = re.compile(r"01632 960\d{3}")
GOOD = '---\ntitle: "A"\nkind: policy\nupdated: 2026-01-01\n---\n\nText.\n'


def names(found: list[Document]) -> list[str]:
    return [d.id for d in found]


def test_there_are_enough_of_each_kind() -> None:
    kinds = Counter(d.kind for d in ALL)
    assert sum(kinds.values()) >= 60
    assert kinds["product"] >= 30
    assert kinds["policy"] >= 15
    assert kinds["howto"] >= 14
    assert kinds["internal"] >= 9


def test_notes_for_staff_come_only_on_request() -> None:
    assert {d.kind for d in documents()} == {"product", "policy", "howto"}
    assert names(ALL) == sorted(names(ALL))
    assert set(names(documents())) < set(names(ALL))
    assert document("note-tone", internal=True).kind == "internal"
    with pytest.raises(UnknownDocument, match="internal=True"):
        document("note-tone")


def test_an_unknown_id_says_where_the_ids_are() -> None:
    with pytest.raises(UnknownDocument, match=r"no document 'alta-9'.*documents\(\)"):
        document("alta-9")


def test_a_returned_list_can_be_changed_without_harm() -> None:
    documents().clear()
    assert documents()


def test_every_file_is_loaded() -> None:
    assert names(ALL) == sorted(p.stem for p in FOLDER.iterdir())
    assert document("alta-2-tent").price == Decimal("249.00")
    assert document("alta-2-tent").updated == date(2026, 3, 2)


@pytest.mark.parametrize("found", ALL, ids=names(ALL))
def test_a_document_is_whole(found: Document) -> None:
    assert 80 <= len(found.text.split()) <= 300
    assert found.updated <= TODAY
    assert not found.text.startswith("#")
    assert "\n\n" in found.text, "one block of text, where paragraphs were meant"
    # A short line of a paragraph would be cut out of its sentence by a splitter on line ends.
    assert not re.search(r"[^\n]\n[^\n]", found.text)


def test_titles_are_unique() -> None:
    assert len({d.title for d in ALL}) == len(ALL)


def test_contacts_are_on_reserved_domains_and_numbers() -> None:
    for found in ALL:
        for address in re.findall(r"[\w.]+@[\w.]+\w", found.text):
            assert address.endswith((".example", "@example.com")), (found.id, address)
        for number in re.findall(r"\b0\d[\d ]{7,}\d", found.text):
            assert DRAMA_NUMBER.fullmatch(number), (found.id, number)
        assert "http" not in found.text


def test_the_time_for_returns_is_the_same_everywhere() -> None:
    assert "Tents, sleeping bags" in document("returns").text
    assert "within 30 days of delivery" in document("returns").text
    assert "30 days after delivery, when the time for returns is over" in (
        document("trail-club").text
    )
    assert "after the 30 days for returns" in document("note-refund-limits", internal=True).text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("No front matter.\n", "x.md: title"),
        (GOOD.replace("title: ", "name: "), "x.md: title"),
        (GOOD.replace("policy", "poem"), "x.md: kind"),
        (GOOD.replace("2026-01-01", "soon"), "x.md: updated"),
        (GOOD.replace("kind: policy", "kind: policy\ncolour: red"), "x.md: colour"),
        (GOOD.replace("kind: policy", "kind: product"), "a product page has a price"),
        (GOOD.replace("kind: policy", 'kind: policy\nprice: "1.00"'), "a product page has a price"),
        (GOOD.replace("kind: policy", 'kind: product\nprice: "-1.00"'), "x.md: price"),
        (GOOD.replace("Text.", ""), "x.md: text"),
        (GOOD.replace('"A"', '"A'), "not YAML"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.md").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError, match=message):
        load_documents(tmp_path)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_bytes(GOOD.encode() + b"\xff")
    with pytest.raises(DocumentError, match="UTF-8"):
        load_documents(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no documents"):
        load_documents(tmp_path)
