"""The export: what the page shows, what its data holds, and what it refuses."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from helpers.evaluate.packed import version_and_time
from helpers.review import Answer
from helpers.review.command import COMMANDS
from helpers.review.export import ExportError, export
from helpers.review.export_page import markdown
from helpers.review.exported import MOST_BYTES, OPENING, ExportedError, parse
from helpers.review.judge import judge
from helpers.review.questions import question
from helpers.review.saved import save
from tests.exercises.m12.made import bodies, home, text_of

Q1 = question("Q1")
PLAIN = text_of(bodies(Q1))
HOSTILE = (
    "\n\n</script><script>alert(1)</script> <img src=x onerror=alert(2)> "
    "![i](https://example.org/i.png) [x](javascript:alert(3)) <style>body{display:none}</style>\n"
)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "course"))
    return tmp_path


def saved(text: str = PLAIN, folder: Path | None = None) -> None:
    answer = Answer(text, folder or home())
    save(Q1, answer, judge(Q1, answer))


def written(to: Path, name: str | None = None) -> str:
    export(to, name, say=lambda _: None)
    return to.read_text("utf-8")


class Tags(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_the_data_judges_again_to_the_same(tmp_path: Path) -> None:
    saved()
    (one,) = parse(written(tmp_path / "a.html").encode()).answers
    folder = one.unpack(tmp_path / "home")
    assert one.findings == ()
    assert judge(Q1, Answer(one.text, folder)) == []
    assert version_and_time(folder) == version_and_time(home())


def test_a_figure_changed_in_the_text_is_found_again(tmp_path: Path) -> None:
    saved()
    page = written(tmp_path / "a.html")
    assert page.count("98.6%") >= 2
    (one,) = parse(page.replace("98.6%", "99.6%").encode()).answers
    found = judge(Q1, Answer(one.text, one.unpack(tmp_path / "home")))
    assert "figures" in {finding.aspect for finding in found}


def test_a_changed_evidence_is_not_found_and_the_page_says_so(tmp_path: Path) -> None:
    saved()
    page = written(tmp_path / "a.html")
    changed = page.replace("98.6%", "12.3%").replace("0.9864864", "0.123")
    (one,) = parse(changed.encode()).answers
    assert judge(Q1, Answer(one.text, one.unpack(tmp_path / "home"))) == []
    assert "A person can edit such files, and nothing here would show it" in page
    assert one.about.version.digest in page


def test_no_text_of_an_answer_becomes_an_element(tmp_path: Path) -> None:
    saved(PLAIN + HOSTILE)
    page = written(tmp_path / "a.html", name="</title><script>alert(4)</script>")
    tags = Tags(page)
    assert tags.of("script") == [{"type": "application/json", "id": "review"}]
    assert not tags.of("img")
    assert len(tags.of("style")) == 1
    assert all(str(a["href"]).startswith(("#Q1-", "https://example.org/")) for a in tags.of("a"))
    assert not any(key.startswith("on") for _, each in tags.found for key in each)
    assert "default-src 'none'" in page
    assert parse(page.encode()).answers[0].text == PLAIN + HOSTILE


def test_each_citation_leads_to_its_figure(tmp_path: Path) -> None:
    saved()
    tags = Tags(written(tmp_path / "a.html"))
    rows = {each["id"] for each in tags.of("tr") if "id" in each}
    assert rows
    assert {str(a["href"])[1:] for a in tags.of("a")} == rows


def test_the_rubric_is_a_form(tmp_path: Path) -> None:
    saved()
    tags = Tags(written(tmp_path / "a.html"))
    assert len(tags.of("fieldset")) == len(Q1.rubric)
    assert len(tags.of("input")) == 2 * len(Q1.rubric)


def test_links_of_an_answer_stay_and_headings_go_down() -> None:
    html = markdown("# One\n\n[a](https://example.org) [limit]", lambda *_: None)
    assert "<h3>One</h3>" in html
    assert 'href="https://example.org"' in html
    assert "[limit]" in html


@pytest.mark.parametrize("cited", ["[load: requests lost]", "[load:\nrequests  lost]"])
def test_a_citation_over_two_lines_leads_there_too(cited: str) -> None:
    html = markdown(f"None {cited}.", lambda item, figure: f"{item}-{figure}".replace(" ", "-"))
    assert re.findall(r'href="#([\w-]+)"[^>]*>(.*?)</a>', html) == [
        ("load-requests-lost", "[load: requests lost]")
    ]


def test_nothing_but_what_is_said_goes_in(tmp_path: Path) -> None:
    saved()
    said: list[str] = []
    export(tmp_path / "a.html", say=said.append)
    page = (tmp_path / "a.html").read_text("utf-8")
    assert said[0].startswith("Q1: the answer's text (nothing to change); evidence: ")
    assert "not given" in said[-2]
    assert str(tmp_path) not in page
    assert str(home()) not in page
    assert '"name"' not in page.split(OPENING)[1].split('"text"')[0]


def test_a_name_is_in_it_where_it_is_given(tmp_path: Path) -> None:
    saved()
    page = written(tmp_path / "a.html", name="Ada <A>")
    assert parse(page.encode()).name == "Ada <A>"
    assert "Review answers of Ada &lt;A&gt;" in page


def test_a_home_that_is_gone_is_a_finding(tmp_path: Path) -> None:
    saved(folder=tmp_path / "away")
    (one,) = parse(written(tmp_path / "a.html").encode()).answers
    assert one.evidence == {}
    assert "There is no folder away" in one.findings[0].text


def test_an_export_is_replaced_and_another_file_is_not(tmp_path: Path) -> None:
    saved()
    written(tmp_path / "a.html")
    written(tmp_path / "a.html")
    (tmp_path / "own.html").write_text("<p>mine</p>")
    with pytest.raises(ExportError, match="is there already"):
        export(tmp_path / "own.html")
    assert (tmp_path / "own.html").read_text() == "<p>mine</p>"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "is a folder"), ("a.txt", "let it end in .html"), ("file/a.html", "There is no folder")],
)
def test_a_target_that_will_not_do(
    name: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved()
    (tmp_path / "file").write_text("")
    assert COMMANDS["review"](["export", str(tmp_path / name)]) == 1
    assert sentence in capsys.readouterr().err


def test_without_an_answer_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no answer yet"):
        export(tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()


def test_an_unreadable_answer_is_named(tmp_path: Path) -> None:
    saved()
    (tmp_path / "course/answers/Q2.json").write_text("{")
    with pytest.raises(ExportError, match=r"Q2\.json cannot be read"):
        export(tmp_path / "a.html")


def content(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.split(OPENING)[1].split("</script>")[0])
    return found


def damaged(page: str, case: str) -> str:
    data = content(page)
    answer = data["answers"][0]
    if case == "format":
        data["format"] = 99
    elif case == "path":
        evidence = dict(answer["evidence"]["cost"], item="../../away")
        answer["evidence"]["../../away"] = evidence
    elif case == "digest":
        answer["about"]["version"]["parts"]["prompt"] = "another"
    elif case == "twice":
        data["answers"].append(answer)
    elif case == "text":
        answer["text"] = 5
    elif case == "value":
        answer["evidence"]["cost"]["figures"]["dollars a question"]["value"] = None
    elif case == "list":
        return f"{OPENING}[]</script>"
    elif case == "deep":
        return f"{OPENING}{'[' * 100_000}</script>"
    elif case == "half":
        return page[: page.index(OPENING) + 500]
    elif case == "large":
        return page + " " * MOST_BYTES
    return f"{OPENING}{json.dumps(data)}</script>"


@pytest.mark.parametrize(
    "case",
    ["format", "path", "digest", "twice", "text", "value", "list", "deep", "half", "large"],
)
def test_damaged_data_is_refused_with_the_reason(case: str, tmp_path: Path) -> None:
    saved()
    page = written(tmp_path / "a.html")
    parse(damaged(page, "none").encode())
    with pytest.raises(ExportedError):
        parse(damaged(page, case).encode())
