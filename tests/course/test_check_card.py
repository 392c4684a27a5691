import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from helpers.course.card import MIME, Card, CaseResult, Note, Status, printable, statuses

NASTY = "<script>alert(1)</script> & \"quoted\" 'single' $5 and $6"
FAILED = CaseResult(
    "an <i>empty</i> list",
    False,
    (("Called", "rank([])"), ("Got", NASTY), ("Printed", "one\n  two")),
)
CARD = Card(
    "99.1",
    "Rank <b>it</b>",
    Status.PARTLY,
    (CaseResult("two documents", True), FAILED),
    "1 of 2 cases passed.",
    "Hint 1 of 3: try <em>this</em>.",
    ("Disk & all.",),
)

TEXT = """\
[~] Exercise 99.1, Rank <b>it</b>: partly (1 of 2)
1 of 2 cases passed.
  [+] passed: two documents
  [-] not passed: an <i>empty</i> list
    Called    rank([])
    Got       <script>alert(1)</script> & "quoted" 'single' $5 and $6
    Printed   one
                two
Hint 1 of 3: try <em>this</em>.
Note: Disk & all.
Is this verdict wrong? See "A verdict that is wrong" in CONTRIBUTING.md."""


class Page(HTMLParser):
    """What a browser or a screen reader makes of a card."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.depth = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_text_is_readable_in_a_terminal() -> None:
    assert CARD.text() == TEXT
    assert str(CARD) == TEXT


def test_long_text_is_wrapped_and_loses_nothing() -> None:
    words = " ".join(f"word{n}" for n in range(200))
    card = Card("99.1", "T", Status.WRONG, (CaseResult(words, False, (("Got", words),)),), words)
    assert max(map(len, card.text().splitlines())) <= 88
    assert card.text().split().count("word199") == 3


def test_every_word_of_the_text_stands_in_the_html() -> None:
    page = " ".join(" ".join(Page(CARD.html()).words).split())
    for line in TEXT.splitlines():
        words = re.sub(r"^\s*\[.\] ", "", line)  # the page has signs of its own
        for part in words.strip().split("   ", 1):
            assert part.strip() in page


def test_the_html_is_escaped_and_well_formed() -> None:
    page = Page(CARD.html())
    assert page.depth == 0
    assert set(page.tags) == {"div", "p", "table", "tbody", "tr", "th", "td", "code", "span"}
    assert NASTY in page.words


def test_a_screen_reader_finds_status_headings_and_row_headers() -> None:
    attributes = Page(CARD.html()).attributes
    assert ("div", "role", "status") in attributes
    assert attributes.count(("div", "role", "heading")) == 3
    assert ("th", "scope", "row") in attributes


@pytest.mark.parametrize("status", Status)
def test_every_colour_is_the_themes_and_the_status_stands_in_words(status: Status) -> None:
    html = Card("99.1", "T", status, (CaseResult("a", True), FAILED)).html()
    assert f": {status}" in html
    colours = [
        declaration
        for _, name, value in Page(html).attributes
        if name == "style"
        for declaration in value.split(";")
        if "color" in declaration or "border" in declaration
    ]
    known = ("gray", "none")  # gray reads on light and dark, where there is no theme
    assert all("var(--jp-" in text or text.endswith(known) for text in map(str.strip, colours))


@pytest.mark.parametrize(
    ("status", "sign", "plain"),
    [
        (Status.PASSED, "\u2713", "[+]"),
        (Status.PARTLY, "\u00b1", "[~]"),
        (Status.WRONG, "\u2717", "[-]"),
        (Status.NOT_DONE_YET, "\u2026", "[ ]"),
    ],
)
def test_a_sign_tells_the_status_without_words_or_colour(
    status: Status, sign: str, plain: str
) -> None:
    card = Card("99.1", "T", status)
    assert Page(card.html()).words[:2] == [sign, f" {card.heading}"]
    assert card.text() == f"{plain} {card.heading}"


def test_a_passed_and_a_failed_line_differ_by_a_sign_too() -> None:
    page = "".join(Page(CARD.html()).words)
    assert "\u2713 passed: two documents" in page
    assert "\u2717 not passed: an <i>empty</i> list" in page
    assert CARD.text().isascii()
    hidden = [tag for tag, name, value in Page(CARD.html()).attributes if name == "aria-hidden"]
    assert hidden == ["span"] * 3, "a screen reader hears the words alone"


def test_dollars_are_not_set_as_formulas() -> None:
    assert ("div", "class", "mathjax_ignore") in Page(CARD.html()).attributes


def test_control_characters_and_colours_do_not_reach_the_page() -> None:
    assert printable("\x1b[31mred\x1b[0m") == "red"
    assert printable("10%\r50%\r\n100%") == "10%\n50%\n100%"
    assert printable("a\x00b\u202ec\x07") == "a\ufffdb\ufffdc\ufffd"
    assert printable("\ud800") == "\\ud800"
    assert printable("café £49.00 \t日本") == "café £49.00 \t日本"


def test_a_card_carries_text_page_and_data() -> None:
    bundle = CARD._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", MIME}
    assert bundle[MIME] == {"exercise": "99.1", "status": "partly", "passed": 1, "total": 2}


def test_a_note_is_no_result() -> None:
    bundle = Note("Exercise 99.1", ("Hint 1 of 3: <b>",))._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "&lt;b&gt;" in bundle["text/html"]


def test_statuses_are_read_from_a_notebook_the_last_run_counting(tmp_path: Path) -> None:
    def cell(*cards: Card) -> nbformat.NotebookNode:
        outputs = [
            nbformat.v4.new_output("display_data", card._repr_mimebundle_()) for card in cards
        ]
        outputs.append(nbformat.v4.new_output("stream", text="printed"))
        return nbformat.v4.new_code_cell("check(...)", outputs=outputs)

    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Lab"),
            cell(CARD, Card("99.1", "T", Status.PASSED)),
            cell(Card("99.2", "T", Status.NOT_DONE_YET)),
            nbformat.v4.new_code_cell("check('99.3', x)"),
        ]
    )
    expected = {"99.1": "passed", "99.2": "not done yet"}
    assert statuses(notebook) == expected
    nbformat.write(notebook, tmp_path / "lab.ipynb")
    assert statuses(tmp_path / "lab.ipynb") == expected
