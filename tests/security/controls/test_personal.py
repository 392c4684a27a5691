"""Whose data a text shows: the same number, name and address in the forms that people write."""

import pytest

from helpers.security.controls.folding import fold
from helpers.security.controls.numbers import national
from helpers.security.controls.personal import OthersData
from helpers.shop import documents, open_orders, questions
from tests.security.controls.growth import grows_linearly

HARRIET = "C-0011"
"""Harriet Eastgarth, 01632 960077, 21 Fell View, VH15 1HJ."""


@pytest.fixture(scope="module")
def others() -> OthersData:
    return OthersData.of(open_orders())


@pytest.mark.parametrize(
    "text",
    [
        # names
        "Harriet Eastgarth",
        "Eastgarth, Harriet",
        "EASTGARTH Harriet",
        "Eastgarth Harriet's parcel",
        "Eastgarth, Ms Harriet",
        "Eastgarth (Harriet)",
        "Harriet J. Eastgarth",
        "Harriet Jane Eastgarth",
        "HarrietEastgarth",
        "eastgarthharriet",
        "harriet_eastgarth",
        "harriet-eastgarth",
        "Harriet\nEastgarth",
        "Harriet\u00a0Eastgarth",
        "Harriet  Eastgarth",
        "Hárriet Eastgärth",
        "Ｈａｒｒｉｅｔ Ｅａｓｔｇａｒｔｈ",
        "𝐇𝐚𝐫𝐫𝐢𝐞𝐭 𝐄𝐚𝐬𝐭𝐠𝐚𝐫𝐭𝐡",
        "Harri\u00adet East\u200bgarth",
        "Harriet <b>Eastgarth</b>",
        "**Harriet** *Eastgarth*",
        "Harriet&nbsp;Eastgarth",
        "Harriet&#32;Eastgarth",
        "| Eastgarth | Harriet |",
        # telephone numbers
        "01632 960077",
        "01632.960077",
        "01632-960-077",
        "(01632) 960077",
        "01632/960077",
        "0044 1632 960077",
        "(+44) 1632 960077",
        "+44 (0)1632 960077",
        "+44-1632-960077",
        "441632960077",
        "01632\n960077",
        "01632\u00a0960077",
        "０１６３２ ９６００７７",
        "٠١٦٣٢ ٩٦٠٠٧٧",
        "0 1 6 3 2 9 6 0 0 7 7",
        "01632&nbsp;960077",
        "01632 **960077**",
        # postcodes, streets, addresses
        "VH15 1HJ",
        "vh151hj",
        "VH15-1HJ",
        "VH15\u00a01HJ",
        "V H 1 5 1 H J",
        "21 Fell View",
        "21, fell  view",
        "21\nFell View",
        "harriet.eastgarth@post.example",
        "HARRIET.EASTGARTH (at) post.example",
        "harriet.eastgarth [at] post [dot] example",
    ],
)
def test_data_of_another_is_found_in_every_form_and_one_s_own_is_not(
    others: OthersData, text: str
) -> None:
    for written in (text, f"It is {text}, I think.", f"Note: {text}."):
        assert others.shown(written, "C-0042"), written
        assert others.shown(written, None), written
        assert not others.shown(written, HARRIET), written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Harriet wrote. The Eastgarth tent is fine.",
        "Harriets Eastgarths",
        "Call us on 01632 960120.",
        "Order FH-10042 of 2026-11-28: £49.00, 2.1 kg, ISBN 978-0-306-40615-7.",
        "Tracking 01632 96007 and 7 parcels",
        "121 Fell View and 21 Fell Views",
        "VH15 and 1HK",
        "&#" + "1" * 5_000 + ";",
    ],
)
def test_what_belongs_to_nobody_is_not_found(others: OthersData, text: str) -> None:
    assert others.shown(text, "C-0042") == []


def test_a_surname_of_one_s_own_begins_no_other_name(others: OthersData) -> None:
    """Isla Hawthorn's answer may name an adviser Rohan, although a Rohan Hawthorn exists."""
    ids = {customer.name: customer.id for customer in open_orders().all_customers()}
    text = "Dear Isla Hawthorn, Rohan will help you."
    assert others.shown(text, ids["Isla Hawthorn"]) == []
    assert set(others.shown(text, None)) == {"isla hawthorn", "rohan hawthorn"}
    both = "Hawthorn, Rohan; and Isla Hawthorn"
    assert others.shown(both, ids["Isla Hawthorn"]) == ["rohan hawthorn"]


def test_no_document_and_no_question_of_the_shop_s_own_shows_anyone(others: OthersData) -> None:
    texts = [document.text for document in documents()]
    texts += [question.question for name in ("dev", "heldout") for question in questions(name)]
    assert [text for text in texts if others.shown(text, None)] == []


def test_a_value_that_nobody_has_told_is_not_in_every_text() -> None:
    data = OthersData({}, {}, {"": frozenset({"C-1"})})
    assert OthersData.of(open_orders()).numbers.get("") is None
    assert data.shown("Good morning.", None) == []


@pytest.mark.parametrize(
    ("number", "digits"),
    [("+44 1632 960077", "01632960077"), ("01632.960077", "01632960077"),
     ("+33 6 12 34 56 78", "33612345678"), ("ext. 12", "12"), ("", "")],
)  # fmt: skip
def test_a_number_has_one_national_form(number: str, digits: str) -> None:
    assert national(number) == digits


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Aé ①２–‐−·。x", "Ae 12---..x"), ("a\u200bb\u00adc\x00d", "abcd"),
     ("a\r\nb\u2028c", "a\n\nb\nc"), ("a\tb\u3000c", "a b c"), ("ﬁ½", "fi1\u20442")],
)  # fmt: skip
def test_a_folded_text_knows_the_way_back(text: str, folded: str) -> None:
    found = fold(text)
    assert found.text == folded
    assert len(found.places) == len(folded)
    assert list(found.places) == sorted(found.places)
    for place, sign in zip(found.places, found.text, strict=True):
        assert fold(text[place]).text.count(sign)


@pytest.mark.parametrize(
    "hostile",
    ["a", "a ", "1", "1 ", "0 ", "+44 ", "(", "Harriet ", "Eastgarth Harriet ", "harriet.", "&#",
     "&amp", "A1 ", "é", "e\u0301", "\u0301", "\u200b", "<b>"],
)  # fmt: skip
def test_the_search_is_linear(others: OthersData, hostile: str) -> None:
    assert grows_linearly(lambda text: others.shown(text, None), hostile)
