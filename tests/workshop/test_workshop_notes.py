"""The instructor's notes: read beside the cells that they follow, and in no learner's edition."""

import textwrap
from pathlib import Path

import pytest

from helpers import cli
from helpers.authoring.source import read_source
from helpers.authoring.words import hits
from helpers.course.minutes import modules
from helpers.paths import ROOT
from helpers.review.targets import exercises
from helpers.workshop.cells import Cell, SourceMissing, read, sections, source_of
from helpers.workshop.notes import Note, markdown, module_notes, notes_of
from helpers.workshop.plan_parts import module

SOURCES = [
    path.relative_to(ROOT).as_posix()
    for folder in ("notebooks", "solutions")
    for path in sorted((ROOT / folder / "src").glob("*.py"))
]


@pytest.mark.parametrize("where", SOURCES)
def test_a_source_is_read_as_the_build_reads_it(where: str) -> None:
    ours = read(ROOT / where)
    text = (ROOT / where).read_text("utf-8")
    theirs = read_source(text, where=where, solution=where.startswith("solutions"))
    assert [(one.name, one.kind, one.only, one.then, one.needs) for one in ours] == [
        (one.id, one.kind, one.only or "", one.then, one.needs) for one in theirs
    ]
    for one, other in zip(ours, theirs, strict=True):
        if one.kind == "markdown":
            assert one.text == other.source


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "01_topic.py"
    path.write_text(textwrap.dedent(text), "utf-8")
    return path


NOTES = """\
    # %% [markdown] name="title"
    # # 01 Topic

    # %% name="shown"
    print("# no heading")

    # %% [markdown] name="read"
    # Some words.
    #
    # ## A question?
    #
    # ```
    # # no heading either
    # ```

    # %% [markdown] name="why" only="solution"
    # Because.

    # %% [markdown] name="ask" only="instructor"
    # Ask *them*.

    # %% name="show-them" only="instructor"
    print(1)

    # %% name="last"
    show.table([])
"""


def test_a_note_names_its_heading_and_the_learners_cell_before_it(tmp_path: Path) -> None:
    found = notes_of(read(written(tmp_path, NOTES)))
    assert [(one.heading, one.after, one.cell.text) for one in found] == [
        ("A question?", "read", "Ask *them*."),
        ("A question?", "read", "print(1)"),
    ]


def test_sections_are_the_learners(tmp_path: Path) -> None:
    found = sections(read(written(tmp_path, NOTES)))
    assert [(one.heading, one.names, one.figure) for one in found] == [
        ("01 Topic", ("title", "shown"), False),
        ("A question?", ("read", "last"), True),
    ]


TAUGHT = [number for number in modules(root=ROOT) if number != "00"]


@pytest.mark.parametrize("number", TAUGHT)
@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_a_modules_notes_are_printed(
    number: str, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["workshop", "notes", number.lstrip("0")]) == 0
    printed = capsys.readouterr().out
    notes = module_notes(number, root=ROOT)[folder]
    assert 4 <= len(notes) <= (10 if folder == "notebooks" else 7)
    for note in notes:
        assert f"### {note.heading}\n" in printed
        where = f"At the cell `{note.after}`, which begins ``{note.begins}``:"
        assert f"{where}\n\n{note.cell.text}" in printed


@pytest.mark.parametrize("number", TAUGHT)
def test_the_notes_name_each_exercise_once_at_the_end_of_a_section(number: str) -> None:
    notes = module_notes(number, root=ROOT)["notebooks"]
    named = [one for note in notes for one in note.cell.then]
    tasks = [one for one in exercises(ROOT) if one.startswith(f"{number}.")]
    assert sorted(named) == sorted(tasks)
    shown = {piece.title for piece in module(number, root=ROOT).pieces}
    assert all(note.heading in shown for note in notes if note.cell.then)


def test_exercises_are_printed_where_people_can_do_them() -> None:
    note = Note("A question?", "x", Cell("go", "markdown", "Go.", "instructor", ("01.1", "01.2")))
    text = markdown("01", {"notebooks": [note]}, {"notebooks": "Topic"})
    assert "Go.\n\n**From here on, people can do exercises 01.1, 01.2.**" in text


def test_the_notes_keep_to_the_style_pages_words() -> None:
    for number in modules(root=ROOT):
        for notes in module_notes(number, root=ROOT).values():
            assert [hit for note in notes for hit in hits(note.cell.text)] == []


def test_the_notes_are_in_no_built_notebook() -> None:
    """None of the three editions has one."""
    for number in TAUGHT:
        built = "".join(
            path.read_text("utf-8")
            for folder in ("notebooks", "labs", "solutions")
            for path in (ROOT / folder).glob(f"{number}_*.ipynb")
        )
        for notes in module_notes(number, root=ROOT).values():
            for note in notes:
                assert f'"id": "{note.cell.name}"' not in built
                assert note.cell.text.splitlines()[0] not in built


def test_a_module_without_notes_says_so() -> None:
    assert "No notes yet." in markdown("01", {"notebooks": []}, {"notebooks": "Topic"})


@pytest.mark.parametrize("number", ["77", "../01", "", "*", "\u0661\u0662"])
def test_a_module_that_does_not_exist_is_named(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["workshop", "notes", number]) == 2
    assert "The modules are: 00, 01" in capsys.readouterr().err


def test_the_notes_are_written_as_a_page(tmp_path: Path) -> None:
    out = tmp_path / "notes.html"
    assert cli.main(["workshop", "notes", "03", "--out", str(out)]) == 0
    assert "<h3>Can attacks be recognised?</h3>" in out.read_text("utf-8")
    assert cli.main(["workshop", "notes", "01", "--out", str(out)]) == 1
    with pytest.raises(SystemExit):
        cli.main(["workshop", "notes", "01", "--out", "notes.docx"])


def test_a_damaged_source_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "notebooks" / "src" / "01_topic.py"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceMissing, match="git restore"):
        read(source_of("01", "notebooks", root=tmp_path))
