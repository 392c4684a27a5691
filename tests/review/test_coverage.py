"""Every heading of the chapter and every claim leads to a cell and a check that are there."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from helpers.authoring.editions import generate
from helpers.paths import ROOT
from helpers.review import targets
from helpers.review.coverage import (
    FILE,
    Cell,
    Check,
    Coverage,
    CoverageError,
    Topic,
    coverage,
    coverage_command,
    problems,
)
from helpers.review.coverage_page import as_html, as_markdown, as_text, check_text, counts, rows
from tests.notebooks.test_links import BUILT, anchors, wrong

# The table of contents of the chapter, in its order.
HEADINGS = """
Security considerations for LLM applications
Deploying LLM apps
Web framework deployment with FastAPI
Scalable deployment with Ray Serve
Building the index
Serving the index
Running the application
Deployment considerations for LangChain applications
LangGraph platform
Local development with the LangGraph CLI
Serverless deployment options
UI frameworks
Model Context Protocol
Infrastructure considerations
How to choose your deployment model
Model serving infrastructure
How to observe LLM apps
Operational metrics for LLM applications
Tracking responses
Hallucination detection
Bias detection and monitoring
LangSmith
Observability strategy
Continuous improvement for LLM applications
Cost management for LangChain applications
Model selection strategies in LangChain
Tiered model selection
Cascading model approach
Output token optimization
Other strategies
Monitoring and cost analysis
Summary
Questions
""".strip().splitlines()

CLAIMS = {
    "real-time",
    "disproportionate",
    "analytics-tokens",
    "analytics-cost",
    "analytics-performance",
    "combined",
    "robust",
    "secure",
    "scalable",
    "cost-controlled",
    "detected",
}

HERE = Cell("05_serve_with_fastapi", cell="gated")
PROOF = Check("05.6")


def one(cell: Cell = HERE, check: Check = PROOF) -> Coverage:
    """A coverage of one heading."""
    return Coverage((Topic("x", "A heading", (cell,), (check,)),), ())


def test_every_target_exists() -> None:
    assert problems(coverage()) == []


def test_every_heading_and_every_claim_is_there() -> None:
    covered = coverage()
    assert [topic.heading for topic in covered.headings] == HEADINGS
    assert {topic.id for topic in covered.claims} == CLAIMS
    names = [topic.id for topic in covered.topics]
    assert len(names) == len(set(names))


def test_every_heading_has_what_shows_it_and_what_proves_it() -> None:
    for topic in coverage().topics:
        assert topic.cells, topic.heading
        assert topic.checks, topic.heading
        assert not topic.limits or topic.limits.endswith("."), topic.heading


def test_each_module_is_needed() -> None:
    covered = coverage()
    shown = {cell.notebook[:2] for topic in covered.topics for cell in topic.cells}
    assert shown >= {f"{number:02}" for number in range(1, 12)}
    proved = {check.name[:2] for topic in covered.topics for check in topic.checks}
    assert proved >= {f"{number:02}" for number in range(1, 12)}


@pytest.mark.parametrize(
    ("cell", "check", "said"),
    [
        (replace(HERE, cell="gatd"), PROOF, 'has no cell called "gatd"'),
        (Cell(HERE.notebook, section="What does a burst eat?"), PROOF, "has no section"),
        (replace(HERE, notebook="05_serve_with_flask"), PROOF, "there is no notebooks/src/05_"),
        (HERE, Check("05.99"), "there is no exercise 05.99"),
        (HERE, Check("tests/service/test_laod.py::test_x"), "there is no tests/service/test_laod"),
        (HERE, Check("tests/service/test_load.py::test_x"), "has no test_x()"),
        (HERE, Check("tests/service/test_load.py::flood"), "has no flood()"),
    ],
)
def test_a_target_that_is_not_there_is_reported(cell: Cell, check: Check, said: str) -> None:
    (found,) = problems(one(cell, check))
    assert found.startswith("A heading: ")
    assert said in found


def test_a_topic_without_cells_or_checks_is_reported() -> None:
    topic = Topic("x", "A heading", (), ())
    assert problems(Coverage((), (topic,))) == [
        "A heading: no cell shows it.",
        "A heading: nothing proves it.",
    ]


def test_a_right_target_is_no_problem() -> None:
    assert problems(one()) == []
    assert problems(one(Cell(HERE.notebook, section="What does a burst do?"))) == []


def test_a_cell_that_only_instructors_get_is_no_target() -> None:
    assert problems(one(Cell("00_start_here", cell="answer-notes")))


def test_a_comment_in_code_is_no_heading() -> None:
    place = targets.sections(ROOT / "notebooks/src/02_evaluate_before_shipping.py")
    assert "Keep this" in [section.heading for section in place]
    assert not any(section.heading.startswith("Inside") for section in place)


def links(text: str) -> list[str]:
    """Where the links of a text lead, without the marks that a browser adds."""
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    return [
        unquote(str(child.attrs["href"]))
        for block in blocks
        for child in block.children or ()
        if child.type == "link_open"
    ]


def test_links_lead_to_headings_by_the_rules_of_all_notebooks() -> None:
    covered = coverage()
    text = "\n\n".join(as_markdown(topics) for topics in (covered.headings, covered.claims))
    leads: dict[Path, set[str]] = {}
    for link in links(text):
        file, _, fragment = link.partition("#")
        leads.setdefault((ROOT / "notebooks" / file).resolve(), set()).add(fragment)
    for path, fragments in leads.items():
        if path in BUILT:
            fragments -= anchors(generate(ROOT, *BUILT[path]))
        assert path in BUILT or path.is_file()
        assert not fragments - {""}, path.name
    assert sum(path in BUILT for path in leads) > 20  # notebooks and labs
    # Of a table's rows, none is lost to a sign with a meaning of its own.
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    assert sum(block.type == "tr_open" for block in blocks) == 2 + len(covered.topics)


def test_a_made_up_section_makes_a_wrong_link() -> None:
    text = as_markdown(one(Cell(HERE.notebook, section="What does a burst eat?")).topics)
    notebook = {"cells": [{"cell_type": "markdown", "source": text}]}
    assert wrong(notebook, ROOT / "notebooks" / "12_review_questions.ipynb")


def test_two_cells_of_one_section_have_one_link() -> None:
    both = (HERE, replace(HERE, cell="percentiles"))
    (row,) = rows([Topic("x", "A", both, (PROOF,))])
    assert row["shown in"].count("](") == 1


class Seen(HTMLParser):
    """The tags of a page that are open, and the words in it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what opens, and where it leads."""
        if tag != "meta":
            self.open.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        """What closes is what opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note the words."""
        self.words.append(data)


def test_the_page_needs_nothing_else_and_fits_both_themes() -> None:
    page = as_html(coverage())
    seen = Seen()
    seen.feed(page)
    assert not seen.open
    assert not seen.addresses
    assert "prefers-color-scheme: dark" in page
    words = " ".join(seen.words)
    assert all(heading in words for heading in HEADINGS)
    assert str(ROOT) not in page


def test_what_is_shown_is_escaped() -> None:
    topic = Topic("x", "<b>&", (HERE,), (PROOF,), "<i>.")
    page = as_html(Coverage((topic,), ()))
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page
    assert "<i>" not in page


def test_the_text_has_every_topic_and_its_limits() -> None:
    covered = coverage()
    text = as_text(covered)
    for topic in covered.topics:
        assert topic.heading in text
        assert topic.limits in text
    assert text.endswith(counts(covered))


def test_counts_are_of_different_places() -> None:
    twice = one().headings[0]
    assert counts(Coverage((twice, replace(twice, id="y")), ())) == (
        "2 headings and 0 claims. Shown in 1 place, proved by 1 exercise and 0 tests."
    )


def test_a_check_in_words() -> None:
    assert check_text(PROOF).startswith("Exercise 05.6: ")
    assert check_text(Check("tests/a.py::test_what_is_so")) == "Test: what is so"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("headings: [", "line 1, is no YAML"),
        ("headings: []\n", "two lists"),
        ("- a\n", "two lists"),
        ("headings: [a]\nclaims: []\n", "headings, number 1 needs id"),
        ("headings: [{id: a, heading: b, cell: c}]\nclaims: []\n", "needs id"),
        ("headings: [{id: a, heading: 1}]\nclaims: []\n", "no text"),
        ("headings: [{id: a, heading: b, checks: [05.6]}]\nclaims: []\n", "put it in quotes"),
        ("headings: [{id: a, heading: b, cells: [{cell: c}]}]\nclaims: []\n", "needs notebook"),
    ],
)
def test_a_file_that_cannot_be_used_names_the_place(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / FILE.name
    file.write_text(text, "utf-8")
    with pytest.raises(CoverageError, match=said) as found:
        coverage(file)
    assert "\n" not in str(found.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CoverageError, match="restore it"):
        coverage(tmp_path / FILE.name)


def test_the_command_prints_a_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage_command(["--heading", "ray serve"]) == 0
    printed = capsys.readouterr().out
    assert "Scalable deployment with Ray Serve" in printed
    assert "LangSmith" not in printed


def test_the_command_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage_command(["--html", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text("utf-8") == as_html(coverage())
    assert coverage_command(["--html", str(tmp_path / "no" / "page.html")]) == 1
    assert "or name another file" in capsys.readouterr().err


def test_the_command_says_what_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage_command(["--heading", "quantum"]) == 1
    assert "no heading contains 'quantum'" in capsys.readouterr().err


def test_the_command_fails_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = one(check=Check("05.99"))
    monkeypatch.setattr("helpers.review.coverage.coverage", lambda: broken)
    assert coverage_command([]) == 1
    printed = capsys.readouterr()
    assert "A heading" in printed.out
    assert "course coverage: A heading: there is no exercise 05.99." in printed.err
