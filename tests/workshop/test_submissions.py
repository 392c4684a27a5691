"""What is handed in is read or named, whatever it is called and however it is packed."""

import codecs
import json
import os
import re
import unicodedata
import zipfile
from pathlib import Path

import pytest

from helpers.workshop import files as files_module
from helpers.workshop.files import gather
from helpers.workshop.labs import GradeError, Lab, labs
from helpers.workshop.roster import read_roster
from helpers.workshop.submitted import Handed, Submission, handed_in
from tests.workshop.handed import make_course, notebook, packed, put, zipped

TEXT = json.dumps(notebook(answer="x = 1"))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> list[Lab]:
    return labs(make_course(tmp_path_factory.mktemp("course")))


def answer(one: Submission, stem: str = "98_mini") -> str:
    return next(iter(one.answers[stem].values()))


def learners(found: Handed) -> list[str]:
    return [one.learner for one in found.submissions]


# --- whose a file is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "learner"),
    [
        ("Ada Byron_12345_assignsubmission_file_/lab.ipynb", "Ada Byron"),
        ("Ada Byron_12345_assignsubmission_file_98_mini.ipynb", "Ada Byron"),
        ("byronada_12345_67890_98_mini.ipynb", "byronada"),
        ("byronada_LATE_12345_67890_98_mini-2.ipynb", "byronada"),
        ("ada/98_mini.ipynb", "ada"),
        ("ada/deep/er/lab.ipynb", "ada"),
        ("98_mini/ada.ipynb", "ada"),
        ("98/ada/work.ipynb", "ada"),
        ("lab 98/Ada Byron_1_assignsubmission_file_/x.ipynb", "Ada Byron"),
        ("all/Ada Byron_1_assignsubmission_file_/x.ipynb", "Ada Byron"),
        ("ada_98_mini.ipynb", "ada"),
        ("98_mini - Ada Byron.ipynb", "Ada Byron"),
        ("my-lab.ipynb", "my-lab"),
        ("98_mini.ipynb", "in"),
        ("98_mini (1).ipynb", "in"),
        ("ada.IPYNB", "ada"),
    ],
)
def test_whose_a_file_is(path: str, learner: str, known: list[Lab], tmp_path: Path) -> None:
    put(tmp_path / "in" / path)
    (one,) = handed_in(tmp_path / "in", known).submissions
    assert (one.learner, answer(one)) == (learner, "x = 1")


def test_late_marks_and_resubmissions_of_a_platform(known: list[Lab], tmp_path: Path) -> None:
    put(tmp_path / "byronada_1111_2222_98_mini-1.ipynb", "x = 1", day=900)
    put(tmp_path / "byronada_LATE_1111_2223_98_mini-2.ipynb", "x = 2", day=100)
    put(tmp_path / "byronada_1111_2221_98_mini.ipynb", "x = 0", day=950)
    (ada,) = handed_in(tmp_path, known).submissions
    assert answer(ada) == "x = 2"
    told = " ".join(ada.notes)
    assert "byronada_LATE_1111_2223_98_mini-2.ipynb (1970-04-1" in told
    assert (
        ") is the newest 98_mini and was graded; left out: byronada_1111_2221_98_mini.ipynb ("
        in told
    )
    assert ", byronada_1111_2222_98_mini-1.ipynb (1972-0" in told
    assert ada.late == {"98_mini"}
    assert "98_mini: marked late" in told


def test_of_two_versions_the_newest_counts_and_the_others_are_named(
    known: list[Lab], tmp_path: Path
) -> None:
    put(tmp_path / "ada" / "old" / "98_mini.ipynb", "x = 1", day=100)
    put(tmp_path / "ada" / "new" / "98_mini.ipynb", "x = 2", day=200)
    put(tmp_path / "ada" / "97_other.ipynb", "y = 3", stem="97_other")
    (ada,) = handed_in(tmp_path, known).submissions
    assert (answer(ada), answer(ada, "97_other")) == ("x = 2", "y = 3")
    (note,) = ada.notes
    assert re.fullmatch(
        r"ada/new/98_mini\.ipynb \(1970-07-.{11}\) is the newest 98_mini and was graded; left out: "
        r"ada/old/98_mini\.ipynb \(1970-04-.{11}\)",
        note,
    )


def test_one_person_in_three_folders(known: list[Lab], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for day, name in ((300, "Ada Lovelace"), (200, "Lovelace Ada"), (100, "ada lovelace_1_2_x")):
        file = f"{name}.ipynb" if day == 100 else f"{name}/98_mini.ipynb"
        put(folder / file, f"x = {day}", day=day)
    people = read_roster(roster(tmp_path, "name\nAda Lovelace\n"))
    (ada,) = handed_in(folder, known, roster=people).submissions[:1]
    assert answer(ada) == "x = 300"
    assert "Ada Lovelace/98_mini.ipynb (1970-10-" in ada.notes[0]
    assert "left out: " in ada.notes[0]
    assert "Lovelace Ada/98_mini.ipynb (1970-07-" in ada.notes[0].partition("left out: ")[2]


def test_a_copy_is_newer_than_its_original_of_the_same_date(
    known: list[Lab], tmp_path: Path
) -> None:
    put(tmp_path / "ada" / "98_mini (2).ipynb", "x = 2", day=100)
    put(tmp_path / "ada" / "98_mini.ipynb", "x = 1", day=100)
    assert answer(handed_in(tmp_path, known).submissions[0]) == "x = 2"


def test_folders_of_labs_are_joined_by_learner(known: list[Lab], tmp_path: Path) -> None:
    put(tmp_path / "98_mini" / "ada.ipynb")
    put(tmp_path / "97_other" / "ada.ipynb", stem="97_other")
    (ada,) = handed_in(tmp_path, known).submissions
    assert sorted(ada.labs) == ["97_other", "98_mini"]


def test_accents_in_two_forms_are_one_learner(known: list[Lab], tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    put(tmp_path / composed / "98_mini.ipynb")
    put(tmp_path / apart / "97_other.ipynb", stem="97_other")
    (one,) = handed_in(tmp_path, known).submissions
    assert (one.learner, len(one.labs)) == (composed, 2)


def test_two_people_of_one_name_stay_two(known: list[Lab], tmp_path: Path) -> None:
    for number in ("11", "22"):
        put(tmp_path / f"Ada Byron_{number}_assignsubmission_file_" / "98_mini.ipynb")
    assert learners(handed_in(tmp_path, known)) == ["Ada Byron (11)", "Ada Byron (22)"]


def test_a_lab_that_is_not_wanted_is_named(known: list[Lab], tmp_path: Path) -> None:
    put(tmp_path / "ada" / "work.ipynb", stem="97_other")
    put(tmp_path / "bob" / "98_mini.ipynb")
    put(tmp_path / "bob" / "97_other.ipynb", stem="97_other")
    ada, bob = handed_in(tmp_path, known, wanted=["98_mini"]).submissions
    assert (ada.labs, ada.instead) == ({}, "another lab")
    assert ada.notes == ("work.ipynb is lab 97, which is not graded here",)
    assert list(bob.labs) == ["98_mini"]
    assert bob.notes == ("97_other.ipynb is lab 97, which is not graded here",)


# --- zips ----------------------------------------------------------------------------------------


def test_zips_beside_and_inside_folders(known: list[Lab], tmp_path: Path) -> None:
    zipped(tmp_path / "ada.zip", {"work/98_mini.ipynb": TEXT, "__MACOSX/._98_mini.ipynb": b"\0"})
    zipped(tmp_path / "bob" / "mine.zip", {"98_mini.ipynb": TEXT})
    zipped(tmp_path / "Cem_5_assignsubmission_file_lab.zip", {"98_mini.ipynb": TEXT})
    found = handed_in(tmp_path, known)
    assert learners(found) == ["ada", "bob", "Cem"]
    assert all(answer(one) == "x = 1" and one.notes == () for one in found.submissions)
    assert found.notes == ()


def test_one_zip_of_all(known: list[Lab], tmp_path: Path) -> None:
    entries: dict[str, str | bytes] = {
        f"{name}_7_assignsubmission_file_/98_mini.ipynb": TEXT for name in ("Ada", "Bob")
    }
    file = zipped(tmp_path / "all.zip", entries)
    assert learners(handed_in(file, known)) == ["Ada", "Bob"]
    assert learners(handed_in(tmp_path, known)) == ["Ada", "Bob"]


def test_a_zip_of_zips_is_a_learner_each(known: list[Lab], tmp_path: Path) -> None:
    inner = {
        "Rossi Rita.zip": packed({"98_mini.ipynb": TEXT}),
        "Silva Sam.zip": packed({"work/deep/98_mini.ipynb": TEXT}),
        "Tanaka Taro.zip": b"PK no zip",
        "Ulm Uwe.zip": packed({"Uwe.zip": packed({"98_mini.ipynb": TEXT})}),
        "Vogel Vera.zip": packed({}),
        "readme.txt": b"",
    }
    zipped(tmp_path / "in" / "class-b.zip", inner)
    found = handed_in(tmp_path / "in", known)
    names = ["Rossi Rita", "Silva Sam", "Tanaka Taro", "Ulm Uwe", "Vogel Vera"]
    assert learners(found) == names
    assert [answer(one) for one in found.submissions[:2]] == ["x = 1", "x = 1"]
    instead = [one.instead for one in found.submissions[2:]]
    assert instead == ["not readable", "not readable", "no notebook"]
    assert "Tanaka Taro.zip could not be read: it is not a zip" in found.submissions[2].notes[0]
    assert "a zip inside a zip inside a zip" in found.submissions[3].notes[0]
    # The same as the one zip of all, and with the class beside it.
    assert learners(handed_in(tmp_path / "in" / "class-b.zip", known)) == names
    people = read_roster(roster(tmp_path, "name\nTaro Tanaka\nRita Rossi\nFritz Fehlt\n"))
    found = handed_in(tmp_path / "in", known, roster=people)
    assert learners(found)[:3] == ["Taro Tanaka", "Rita Rossi", "Fritz Fehlt"]
    assert [one.handed_in for one in found.submissions[:3]] == [True, True, False]
    assert "class-b" not in learners(found)


def test_a_learners_own_zip_of_zips_stays_the_learners(known: list[Lab], tmp_path: Path) -> None:
    lab = packed({"98_mini.ipynb": TEXT})
    zipped(tmp_path / "ada.zip", {"98_mini.zip": lab, "lab 97.zip": packed({"a.txt": b""})})
    zipped(tmp_path / "bob.zip", {"work.zip": lab})
    zipped(tmp_path / "Cem_5_assignsubmission_file_x.zip", {"a.zip": lab, "b.zip": b"PK"})
    found = handed_in(tmp_path, known)
    assert learners(found) == ["ada", "bob", "Cem"]
    assert all(answer(one) == "x = 1" for one in found.submissions)


def test_what_is_wrong_in_a_zip_is_named_and_nothing_is_unpacked(
    known: list[Lab], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    zipped(
        folder / "ada.zip",
        {
            "../../evil.ipynb": TEXT,
            "/etc/evil.ipynb": TEXT,
            "inner.zip": b"PK",
            "98_mini.ipynb": TEXT,
        },
    )
    (folder / "bob.zip").write_bytes(b"PK\3\4 no zip")
    found = handed_in(folder, known)
    assert learners(found) == ["ada", "bob"]
    ada, bob = found.submissions
    assert answer(ada) == "x = 1"
    assert "inner.zip could not be read: it is not a zip file" in ada.notes[0]
    assert bob.instead == "not readable"
    assert "bob.zip could not be read: it is not a zip file, or a damaged one" in bob.notes[0]
    assert "\n".join(found.notes).count("its path leads out of the zip") == 2
    assert sorted(path.name for path in tmp_path.rglob("*.ipynb")) == []
    with pytest.raises(
        GradeError, match=r"no notebooks in .*Not readable: bob.zip: it is not a zip"
    ):
        handed_in(folder / "bob.zip", known)


def test_limits_of_zips(known: list[Lab], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "_MOST_ENTRIES", 2)
    monkeypatch.setattr(files_module, "MOST_BYTES", 3000)
    monkeypatch.setattr(files_module, "_MOST_UNPACKED", 4000)
    put(tmp_path / "ada" / "98_mini.ipynb")
    zipped(tmp_path / "bob.zip", dict.fromkeys("abc", b""))
    with zipfile.ZipFile(tmp_path / "cem.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("98_mini.ipynb", b" " * 4000)
    zipped(tmp_path / "dan.zip", {"a.ipynb": b" " * 2500, "b.ipynb": b" " * 2500})
    zipped(tmp_path / "eve.zip", {"x.zip": packed({"1": b"", "2": b""})})  # three files in all
    zipped(tmp_path / "fay.zip", {"x.zip": packed({"98_mini.ipynb": b" " * 2500})})
    zipped(tmp_path / "gus.zip", {"x.zip": packed({"98_mini.ipynb": b" " * 4000})})
    found = {one.learner: one for one in handed_in(tmp_path, known).submissions}
    for name, told in {
        "bob": "bob.zip could not be read: it and the zips in it have more than 2 files",
        "cem": "98_mini.ipynb could not be read: it is larger than",
        "dan": "b.ipynb could not be read: there are more than",
        "eve": "x.zip could not be read: it and the zips in it have more than 2 files",
        "fay": "98_mini.ipynb could not be read: there are more than",
        "gus": "x.zip could not be read: it is larger than",
    }.items():
        assert told in " ".join(found[name].notes), name
        assert found[name].instead == "not readable"


def test_an_inner_zip_that_lies_about_its_size_is_not_unpacked(
    known: list[Lab], tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "ada.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("x.zip", b"\0" * (60 << 20))
    size = (60 << 20).to_bytes(4, "little")
    content = (tmp_path / "ada.zip").read_bytes()
    assert size in content
    (tmp_path / "ada.zip").write_bytes(content.replace(size, (9).to_bytes(4, "little")))
    put(tmp_path / "bob" / "98_mini.ipynb")
    ada, _ = handed_in(tmp_path, known).submissions
    assert (ada.instead, ada.labs) == ("not readable", {})


def test_a_damaged_entry_is_its_learners_note(known: list[Lab], tmp_path: Path) -> None:
    file = zipped(tmp_path / "ada.zip", {"98_mini.ipynb": TEXT})
    content = bytearray(file.read_bytes())
    content[60:70] = b"??????????"
    file.write_bytes(content)
    (ada,) = handed_in(tmp_path, known).submissions
    assert "98_mini.ipynb could not be read: its zip is damaged" in ada.notes[0]


# --- what is in a file ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    ],
)
def test_encodings(content: bytes, known: list[Lab], tmp_path: Path) -> None:
    file = put(tmp_path / "ada" / "98_mini.ipynb")
    file.write_bytes(content)
    assert answer(handed_in(tmp_path, known).submissions[0]) == "x = 1"


DAMAGED: dict[str, tuple[bytes, str]] = {
    "truncated": (TEXT[:200].encode(), "it is not a notebook, or only part of one"),
    "empty": (b"", "it is empty"),
    "blank": (b" \n", "it is empty"),
    "binary": (bytes(range(128, 256)) * 9, "it is not text"),
    "half-utf16": (codecs.BOM_UTF16_LE + b"\x00\xd8a", "it is not text"),
    "old-format": (b'{"worksheets": [{"cells": []}], "nbformat": 3}', "older than nbformat 4"),
    "list": (b"[]", "it is JSON, but not a notebook"),
    "null": (b"null", "it is JSON, but not a notebook"),
    "cells-a-number": (b'{"cells": 5}', "it is JSON, but not a notebook"),
    "cell-a-text": (b'{"cells": ["x"]}', "it is JSON, but not a notebook"),
    "metadata-a-list": (b'{"cells": [{"source": "", "metadata": []}]}', "a cell has no metadata"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "page": (b"<!DOCTYPE html><html></html>", "it is not a notebook, or only part of one"),
    "conflict": (b"<<<<<<< HEAD\n" + TEXT.encode(), "it is not a notebook, or only part of one"),
    "no-exercise": (b'{"cells": []}', "contains no exercise of a lab"),
}


def test_thirty_damaged_submissions_each_have_a_row_and_a_reason(
    known: list[Lab], tmp_path: Path
) -> None:
    for number, (name, (content, _)) in enumerate([*DAMAGED.items()] * 2):
        file = tmp_path / f"{name}-{number}" / "work.ipynb"
        file.parent.mkdir()
        file.write_bytes(content)
    found = handed_in(tmp_path, known).submissions
    assert len(found) == 30
    for one in found:
        name = one.learner.rpartition("-")[0]
        assert one.labs == {}
        assert DAMAGED[name][1] in one.notes[0], one


def test_a_notebook_of_more_than_fifty_megabytes(known: list[Lab], tmp_path: Path) -> None:
    with (put(tmp_path / "ada" / "98_mini.ipynb")).open("r+b") as file:
        file.truncate((50 << 20) + 1)
    (ada,) = handed_in(tmp_path, known).submissions
    assert ada.notes == ("98_mini.ipynb could not be read: it is larger than 50 MB",)


def test_code_that_no_kernel_can_be_sent_or_no_parser_reads(
    known: list[Lab], tmp_path: Path
) -> None:
    put(tmp_path / "ada" / "98_mini.ipynb", "x = '\ud800'")
    put(tmp_path / "bob" / "98_mini.ipynb", "x = " + "-" * 3_000 + "1")
    put(tmp_path / "cem" / "98_mini.ipynb", "x = '\0'")
    ada, bob, cem = handed_in(tmp_path, known).submissions
    assert answer(ada) == "x = '?'"
    assert len(answer(bob)) > 3_000
    assert answer(cem) == "x = '\0'"


def test_other_files_are_named_and_make_no_learner(known: list[Lab], tmp_path: Path) -> None:
    put(tmp_path / "ada" / "98_mini.ipynb")
    (tmp_path / "ada" / "essay.pdf").write_bytes(b"%PDF")
    (tmp_path / "ada" / ".DS_Store").write_bytes(b"")
    (tmp_path / "index.html").write_text("<p>The platform's list</p>")
    (tmp_path / "grades.xlsx").write_bytes(b"PK")
    (tmp_path / "eve").mkdir()
    found = handed_in(tmp_path, known)
    assert learners(found) == ["ada", "eve"]
    assert found.submissions[0].notes == ("not read, because they are not notebooks: essay.pdf",)
    assert found.submissions[1].notes == ("no notebook",)
    assert found.notes == (
        "grades.xlsx is not a submission and was not read",
        "index.html is not a submission and was not read",
    )


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_out_of_the_folder_is_not_followed(known: list[Lab], tmp_path: Path) -> None:
    put(tmp_path / "in" / "ada" / "98_mini.ipynb")
    secret = put(tmp_path / "secret" / "97_other.ipynb", stem="97_other")
    (tmp_path / "in" / "ada" / "link.ipynb").symlink_to(secret)
    (tmp_path / "in" / "ada" / "more").symlink_to(secret.parent)
    found = handed_in(tmp_path / "in", known)
    assert list(found.submissions[0].labs) == ["98_mini"]
    assert sorted(found.notes) == [
        "ada/link.ipynb is a link out of the folder and was not read",
        "ada/more is a link to a folder and was not read",
    ]
    assert len(gather(tmp_path / "in").files) == 1


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_to_itself_costs_nobody_the_grading(known: list[Lab], tmp_path: Path) -> None:
    put(tmp_path / "ada" / "98_mini.ipynb")
    (tmp_path / "ada" / "loop.ipynb").symlink_to("loop.ipynb")
    (tmp_path / "ada" / "away.ipynb").symlink_to("nowhere")
    found = handed_in(tmp_path, known)
    assert answer(found.submissions[0]) == "x = 1"
    assert [note.partition(" was not read: ")[0] for note in found.notes] == [
        "ada/away.ipynb",
        "ada/loop.ipynb",
    ]


# --- the roster ----------------------------------------------------------------------------------


def roster(folder: Path, text: str | bytes) -> Path:
    file = folder / "roster.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_no_learner_of_the_roster_is_missing(known: list[Lab], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    put(folder / "byronada_111_222_98_mini.ipynb")
    put(folder / "jose.garcia" / "98_mini.ipynb")
    put(folder / "s-77.ipynb")
    put(folder / "Bob Stranger" / "98_mini.ipynb")
    people = read_roster(
        roster(
            tmp_path,
            "\ufeffName;ID;Email\nZed Zero;1;\nAda Byron;2;\nJosé García;3;jose.garcia@a.example\n"
            "Kim Lee;s-77;\nBob Strange;9;\n",
        )
    )
    found = handed_in(folder, known, roster=people)
    assert learners(found) == [
        *("Zed Zero", "Ada Byron", "José García", "Kim Lee", "Bob Strange", "Bob Stranger")
    ]
    assert [one.handed_in for one in found.submissions] == [False, True, True, True, False, True]
    assert found.submissions[0].notes == ("handed in nothing",)
    assert found.submissions[-1].private == ("not on the roster (is it Bob Strange?)",)
    assert found.submissions[-1].notes == ()  # another learner's name is no one else's business


def test_two_of_one_name_are_told_apart_by_id(known: list[Lab], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    put(folder / "Kim Lee_7_assignsubmission_file_" / "98_mini.ipynb")
    people = read_roster(roster(tmp_path, "name,id\nKim Lee,7\nKim Lee,8\n"))
    found = handed_in(folder, known, roster=people)
    assert [(one.learner, one.handed_in) for one in found.submissions] == [
        ("Kim Lee (7)", True),
        ("Kim Lee (8)", False),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name\nAda\nBob\nAda\n", "lines 2 and 4 are the same learner, Ada"),
        ("name,id\nAda,1\nBob,1\n", "lines 2 and 3 have the same id"),
        ("name,email\nAda,a@b\nBob,A@B\n", "lines 2 and 3 have the same email"),
        ("name,id\n,1\n", "line 2: the name is missing"),
        ("Matricola,cognome\n1,Ada\n", r"should name the columns: name .* has: Matricola, cognome"),
        ("name\n\n", "has no learner below its first line"),
        ("", "should name the columns"),
        (b"name\nJos\xe9\n", "is not in UTF-8"),
    ],
)
def test_bad_rosters(text: str | bytes, told: str, tmp_path: Path) -> None:
    file = roster(tmp_path, text)
    with pytest.raises(GradeError, match=told):
        read_roster(file)


EXPORTS = {
    "Moodle, grades": (
        '\ufeff"First name","Last name","ID number",Institution,Department,"Email address"\n'
        "Ada,Byron,77,,,ada@a.example\n"
    ),
    "Moodle, participants of older versions": (
        "First name,Surname,Email address\nAda,Byron,ada@a.example\n"
    ),
    "Moodle, grading worksheet": (
        "Identifier,Full name,ID number,Email address,Status,Grade\n"
        "Participant 123456,Ada Byron,77,ada@a.example,,\n"
    ),
    "Moodle, grading worksheet without numbers": (
        "Identifier,Full name,Email address,Status\nParticipant 77,Ada Byron,ada@a.example,\n"
    ),
    "Canvas": (
        "Student,ID,SIS User ID,SIS Login ID,Section,Lab (99)\n"
        ",,,,,Manual Posting\n"
        "    Points Possible,,,,,5\n"
        '"Byron, Ada",77,S1,ada@a.example,A,\n'
        '"Student, Test",8,,0123456789abcdef,A,\n'
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_of_platforms_are_rosters(name: str, known: list[Lab], tmp_path: Path) -> None:
    people = read_roster(roster(tmp_path, EXPORTS[name]))
    (ada,) = people.people
    number = "" if "older" in name else "77"
    assert (ada.name, ada.id, ada.email) == ("Ada Byron", number, "ada@a.example")
    put(tmp_path / "in" / "byronada_77_222_98_mini.ipynb")
    (one,) = handed_in(tmp_path / "in", known, roster=people).submissions
    assert (one.learner, one.person) == ("Ada Byron", ada)


def test_a_login_that_is_no_address_is_no_email(tmp_path: Path) -> None:
    text = 'Student,ID,SIS User ID,SIS Login ID\n"Byron, Ada",77,S1,adab\n'
    (ada,) = read_roster(roster(tmp_path, text)).people
    assert ada.email == ""


def test_no_roster(tmp_path: Path) -> None:
    with pytest.raises(GradeError, match=r"away.csv cannot be read"):
        read_roster(tmp_path / "away.csv")
