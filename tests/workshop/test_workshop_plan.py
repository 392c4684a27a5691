"""`course workshop plan`: its minutes are the notebooks' own, and what does not fit is said."""

import errno
import os
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import cli
from helpers.course.minutes import of_module
from helpers.paths import ROOT
from helpers.programs import OF_MODULE
from helpers.workshop.cells import Section
from helpers.workshop.plan import (
    BREAK,
    BUFFER,
    CLOSING,
    LONGEST_DAY,
    PATH,
    SHORTEST,
    STRETCH,
    Plan,
    TooShortError,
    has_what_it_needs,
    least_minutes,
    plan,
)
from helpers.workshop.plan_page import markdown
from helpers.workshop.plan_parts import Piece, module, shares
from helpers.workshop.skipped import run_first

GATES = {"04": "04.5", "05": "05.6"}  # in the others it is the last exercise
NUMBERS = [f"{number:02}" for number in range(13)]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("number", NUMBERS)
def test_the_pieces_have_the_minutes_of_readme_and_notebooks(number: str) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| {number} | ["))
    walkthrough, lab = (re.sub(r"[\[(].*?labs.*?\)|[\[\]]", "", c) for c in row.split("|")[3:5])
    taken = re.search(r"\[([^\]]+)\]", row.split("|")[4])
    assert taken, lab
    upper = [int(text.split()[-1]) for text in (walkthrough, taken[1])]
    found = module(number, root=ROOT)
    sums = [sum(p.minutes for p in found.pieces if p.kind == kind) for kind in ("show", "do")]
    assert sums == upper == list(of_module(number, root=ROOT)[:2])
    assert all(piece.minutes >= 1 for piece in found.pieces)
    assert found.title == re.search(r"\| \[([^\]]+)\]", row)[1]  # type: ignore[index]
    assert list(found.before) == re.findall(r"\d\d", row.split("|")[5]) or number == "12"


def test_the_first_exercise_and_the_gate_are_never_left_out() -> None:
    for number in NUMBERS:
        tasks = [piece for piece in module(number, root=ROOT).pieces if piece.kind == "do"]
        tasks.sort(key=lambda piece: piece.title)
        needed = [piece for piece in tasks if piece.rank == 0]
        gate = GATES.get(number, tasks[-1].title.split()[0])
        assert [task.title.split()[0] for task in needed] == [f"{number}.1", gate]


@pytest.mark.parametrize("number", NUMBERS[1:])
def test_an_exercise_follows_its_section_and_nobody_listens_for_an_hour(number: str) -> None:
    pieces = module(number, root=ROOT).pieces
    listened = 0
    for piece in pieces:
        listened = listened + piece.minutes if piece.kind == "show" else 0
        assert listened <= 50
    for task in (piece for piece in pieces if piece.kind == "do"):
        sections = [next(one for one in pieces if one.title == title) for title in task.needs]
        between = pieces[sections[0].place + 1 : task.place]
        assert all(one.kind == "do" and one.needs[0] == task.needs[0] for one in between)
        for section in sections:
            assert section.place <= sections[0].place
            assert section.rank < task.rank or section.rank == task.rank == 0


def section(heading: str, *code: str) -> Section:
    return Section(heading, tuple(map(str, range(len(code)))), False, (), code)


CODE = [
    section("start", "import json"),
    section("a", "x = 1\ndef f(): return x"),
    section("b", "with open('p') as p:\n    y = f()"),
    section("c", "z = [y for y in json.loads('[]')]\nx = 2", "print(x)"),
    section("d", "# %%writefile k8s/pod.yaml\n# a: 1"),
    section("e", "print(y, open('k8s/pod.yaml').read())"),
]


@pytest.mark.parametrize(
    ("shown", "first"),
    [
        ("start a b c d e", {}),
        ("start e", {"e": ("a", "b", "d")}),
        ("c", {"c": ("start",)}),  # it gives x a value of its own first
        ("b e", {"b": ("a",), "e": ("d",)}),  # what ran once is there
        ("start d", {}),
    ],
)
def test_what_a_later_section_uses_is_run_without_comment(
    shown: str, first: dict[str, tuple[str, ...]]
) -> None:
    assert run_first(CODE, shown.split()) == first


def test_the_row_names_the_sections_to_run_first() -> None:
    text = markdown(plan(90, ["01"], root=ROOT), root=ROOT)
    row = next(line for line in text.splitlines() if "| What does it remember?" in line)
    assert "before it, run without comment:" in row
    assert "When should it refuse?" in row, "it defines the threshold of the search tool"
    text = markdown(plan(90, ["02"], root=ROOT), root=ROOT)
    assert "What you measured (show the stored output)" in text


def test_an_exercise_is_not_planned_without_its_section() -> None:
    one = module("01", root=ROOT)
    task = next(piece for piece in one.pieces if piece.rank and piece.needs)
    section = next(piece for piece in one.pieces if piece.title == task.needs[0])
    task = replace(task, needs=(section.title,))
    assert not has_what_it_needs(task, [])
    assert has_what_it_needs(task, [section])
    assert has_what_it_needs(section, [])


def test_a_module_that_needs_a_program_is_in_the_table() -> None:
    """Those whose notebooks say how to install one, and no others."""
    saying = set()
    for source in [*ROOT.glob("notebooks/src/*.py"), *ROOT.glob("solutions/src/*.py")]:
        if re.search(r"apt install|needs Prometheus", source.read_text("utf-8")):
            saying.add(source.name[:2])
    assert saying <= set(OF_MODULE)
    assert "| `drill` |" in README
    assert "needs Prometheus |" in README[README.index("| `drill` |") :].splitlines()[0]


def pieces_of(made: Plan) -> list[Piece]:
    return [block.piece for blocks in made.days for block in blocks if block.piece]


def check(made: Plan) -> None:
    """What holds for every plan."""
    planned = [block.minutes for blocks in made.days for block in blocks]
    assert sum(planned) + made.left == made.minutes
    assert all(minutes > 0 for minutes in planned)
    for blocks in made.days:
        clock = since = 0
        for block in blocks:
            assert block.start == clock
            clock += block.minutes
            since = 0 if block.what == "break" else since + block.minutes
            if block.what == "break":
                assert block.minutes == BREAK
            elif block.what not in ("buffer", "closing"):
                assert since <= STRETCH
        assert [block.what for block in blocks[-2:]] == ["closing", "buffer"]
        assert blocks[-1].minutes >= BUFFER * (made.minutes // len(made.days)) - 1 or made.left
        assert clock <= LONGEST_DAY
        assert blocks[-3].what in ("show", "do"), "no break before the end"
    found = pieces_of(made)
    assert len(set(found)) == len(found)
    assert [(p.module, p.place) for p in found] == sorted((p.module, p.place) for p in found)
    for place, piece in enumerate(found):
        before = {(one.module, one.title) for one in found[:place]}
        assert {(piece.module, title) for title in piece.needs} <= before
    needed = {p for one in made.modules for p in one.pieces if p.rank == 0}
    assert needed <= set(found)
    assert set(made.cuts) == set(found) - needed


@pytest.mark.parametrize("minutes", [45, 60, 89, 90, 91, 180, 360, 480, 481, 720, 3000])
def test_a_plan_fills_its_minutes(minutes: int) -> None:
    made = plan(minutes, None, root=ROOT)
    check(made)
    assert plan(minutes, None, root=ROOT) == made, "the same request gives the same plan"


def test_any_whole_number_from_45_on_is_accepted() -> None:
    for minutes in random.Random(24).sample(range(SHORTEST, 1500), 8):
        check(plan(minutes, None, root=ROOT))


def test_720_minutes_are_two_days() -> None:
    made = plan(720, ["01", "03"], root=ROOT)
    assert len(made.days) == 2
    assert all(sum(block.minutes for block in blocks) <= 360 for blocks in made.days)


def test_what_joined_last_is_cut_first() -> None:
    """With as many minutes less, the plan keeps what is not cut."""
    made = plan(180, ["01"], root=ROOT)
    kept = set(pieces_of(made)) - {made.cuts[0]}
    shorter = plan(180 - made.cuts[0].minutes, ["01"], root=ROOT)
    assert sum(p.minutes for p in kept) >= sum(p.minutes for p in pieces_of(shorter)) - BREAK
    assert {p for p in kept if p.rank == 0} <= set(pieces_of(shorter))


def test_the_shortest_plan_of_a_module_fits_and_one_minute_less_does_not() -> None:
    least = least_minutes([module("03", root=ROOT)])
    check(plan(least, ["03"], root=ROOT))
    with pytest.raises(TooShortError, match=f"Module 03 needs at least {least} minutes"):
        plan(least - 1, ["03"], root=ROOT)


def test_too_few_minutes_say_what_fits() -> None:
    with pytest.raises(TooShortError, match=r"together need .* What fits into 90: 01 or 03\."):
        plan(90, ["03", "01"], root=ROOT)


def test_minutes_that_nothing_fills_are_left() -> None:
    made = plan(720, ["00"], root=ROOT)
    check(made)
    assert made.left > 300
    assert f"**{made.left} minutes are left:**" in markdown(made, root=ROOT)


def test_shares_add_up() -> None:
    assert shares(10, [1, 1, 1]) == [4, 3, 3]
    assert shares(3, [9, 1, 1]) == [1, 1, 1]
    assert shares(7, []) == []
    with pytest.raises(ValueError, match="3 parts"):
        shares(2, [1, 1, 1])


def test_the_page_says_what_each_part_needs() -> None:
    text = markdown(plan(360, ["08", "07"], root=ROOT), root=ROOT)
    assert "builds on module 05, which is not in this plan" in text
    assert "podman" in text
    assert "Prometheus" in text
    assert "course doctor" in text
    size = re.search(r"\| the learner's lock[^|]*\| ([\d,]+) \|", README)
    assert size is not None
    assert f"{size[1]} MB to download" in text
    assert str(ROOT) not in text


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "--minutes"),
        (["--minutes", "44"], 2, "whole number of minutes from 45"),
        (["--minutes", "9" * 30], 2, "whole number"),
        (["--minutes", "90.5"], 2, "whole number"),
        (["--minutes", "-90"], 2, "whole number"),
        (["--minutes", "\u0669\u0660"], 2, "whole number"),
        (["--minutes", "90", "--modules", "a"], 2, "such as 01,03"),
        (["--minutes", "90", "--modules", ""], 2, "such as 01,03"),
        (["--minutes", "90", "--modules", "77"], 2, "There is no module '77'"),
        (["--minutes", "90", "--out", "plan.pdf"], 2, "must end in .md"),
        (["--minutes", "60", "--modules", "1"], 1, "Module 01 needs at least"),
    ],
)
def test_bad_use_gets_a_sentence(
    words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = cli.main(["workshop", "plan", *words])
    except SystemExit as stopped:
        found = int(stopped.code or 0)
    assert found == status
    assert said in capsys.readouterr().err


def test_a_plan_is_written_as_markdown_or_as_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["workshop", "plan", "--minutes", "90", "--modules", "1"]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    for name in ("plan.md", "plan.HTML"):
        assert cli.main([*words, "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "plan.md").read_text("utf-8") == printed
    html = (tmp_path / "plan.HTML").read_text("utf-8")
    assert '<html lang="en">' in html
    assert "default-src 'none'" in html
    assert "prefers-color-scheme: dark" in html
    assert "<h1>Workshop plan: 90 minutes</h1>" in html
    assert html.count("<tr>") == printed.count("\n| ")
    assert not re.search(r"https?://|<script", html)


def test_what_is_there_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "plan.md"
    mine.write_text("my own plan", "utf-8")
    words = ["workshop", "plan", "--minutes", "90", "--out"]
    assert cli.main([*words, str(mine)]) == 1
    assert "choose another name" in capsys.readouterr().err
    assert mine.read_text("utf-8") == "my own plan"
    assert cli.main([*words, str(tmp_path / "x.md")]) == 0
    assert cli.main([*words, str(tmp_path / "x.md")]) == 0, "the same plan again harms nothing"
    (tmp_path / "folder.md").mkdir()
    assert cli.main([*words, str(tmp_path / "folder.md")]) == 1


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    out = tmp_path / "plan.html"
    assert cli.main(["workshop", "plan", "--minutes", "90", "--out", str(out)]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_the_course_without_sources_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="complete copy of the course's repository"):
        module("01", root=tmp_path)


def test_the_path_has_each_module_once() -> None:
    assert sorted(PATH) == NUMBERS[1:]
    assert CLOSING > 0


@pytest.mark.parametrize("words", [["workshop"], ["workshop", "bad"]])
def test_the_kit_names_its_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 2
    assert "course workshop" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["plan", "notes", "slides"])
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["workshop", name, "--help"])
    assert stopped.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"usage: course workshop {name}" in said
    assert "Exit status: 0 done" in said
