"""One rule for the file that a person names for a command to write, held over all commands."""

import errno
import os
import stat
from pathlib import Path

import pytest

from helpers import cli, outfile
from helpers import doctor as doctor_module
from helpers.doctor import Finding

# Words, ending, and whether the command runs in a moment; of the others the refusal is tested.
WRITING: dict[str, tuple[list[str], str, bool]] = {
    "journal": (["journal", "--out", "FILE"], ".html", True),
    "plan": (["workshop", "plan", "--minutes", "90", "--modules", "1", "--out", "FILE"], ".md", True),  # noqa: E501
    "notes": (["workshop", "notes", "00", "--out", "FILE"], ".html", True),
    "slides": (["workshop", "slides", "00", "--out", "FILE"], ".html", True),
    "survey": (["workshop", "survey", "--out", "FILE"], ".md", True),
    "coverage": (["coverage", "--html", "FILE"], ".html", True),
    "doctor": (["doctor", "--yes", "--report", "FILE"], ".json", True),
    "review export": (["review", "export", "FILE"], ".html", False),
    "drill": (["drill", "--report", "FILE"], ".json", False),
    "rollout": (["rollout", "--save", "FILE"], ".yaml", False),
}  # fmt: skip
KINDS = [
    "folder",
    "pipe",
    "device",
    "other",
    "link to other",
    "link to folder",
    "long",
    "nowhere",
    "ending",
]


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(doctor_module, "CHECKS", {"Python": lambda: Finding("Python", True, "x")})


def run(command: str, file: Path) -> int:
    words = [str(file) if word == "FILE" else word for word in WRITING[command][0]]
    try:
        return cli.main(words)
    except SystemExit as stopped:
        return int(stopped.code or 0)


def place(kind: str, folder: Path, ending: str) -> Path:
    """A place where nothing may be written."""
    file = folder / f"out{ending}"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":  # the null device's numbers, in a folder of this test's own
        try:
            os.mknod(file, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root may make a device")
    elif kind == "other":
        file.write_text("mine")
    elif kind == "link to other":
        (folder / "mine").write_text("mine")
        file.symlink_to("mine")
    elif kind == "link to folder":
        (folder / "sub").mkdir()
        file.symlink_to("sub")
    elif kind == "long":
        file = folder / f"{'a' * 300}{ending}"
    elif kind == "nowhere":
        file = folder / "none" / f"out{ending}"
    else:
        file = folder / "out.pdf"
    return file


def state(folder: Path) -> list[tuple[str, int, str]]:
    """Name, kind and content of what is in a folder."""
    found = []
    for path in sorted(folder.iterdir()):
        about = path.lstat()
        text = path.read_text("utf-8") if stat.S_ISREG(about.st_mode) else ""
        found.append((path.name, stat.S_IFMT(about.st_mode), text))
    return found


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_stays_as_it_is(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    file = place(kind, folder, WRITING[command][1])
    before = state(folder)
    assert run(command, file) in (1, 2)
    assert state(folder) == before
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len(said.splitlines()[-1]) > 20


@pytest.mark.parametrize("command", [name for name, (*_, quick) in WRITING.items() if quick])
def test_a_new_file_is_written_and_the_same_command_may_run_again(
    command: str, tmp_path: Path
) -> None:
    file = tmp_path / f"new{WRITING[command][1]}"
    assert run(command, file) == 0
    assert file.stat().st_size > 100
    assert run(command, file) == 0
    link = tmp_path / f"link{WRITING[command][1]}"
    link.symlink_to("aim")
    assert run(command, link) == 0
    assert link.is_symlink()
    assert (tmp_path / "aim").stat().st_size > 100
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("command", ["plan", "notes", "slides", "survey"])
def test_what_a_person_may_have_changed_is_not_replaced(command: str, tmp_path: Path) -> None:
    file = tmp_path / f"new{WRITING[command][1]}"
    assert run(command, file) == 0
    changed = file.read_text("utf-8") + "changed"
    file.write_text(changed, "utf-8")
    assert run(command, file) == 1
    assert file.read_text("utf-8") == changed


@pytest.mark.parametrize("command", ["journal", "coverage", "doctor"])
def test_an_earlier_one_of_the_same_command_is_replaced(command: str, tmp_path: Path) -> None:
    file = tmp_path / f"new{WRITING[command][1]}"
    assert run(command, file) == 0
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    assert run(command, file) == 0
    assert file.read_text("utf-8").count("\n\n\n") == 0


def test_one_commands_file_is_not_anothers(tmp_path: Path) -> None:
    file = tmp_path / "a.html"
    assert run("coverage", file) == 0
    assert run("journal", file) == 1


def test_a_folder_of_quizzes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["workshop", "quizzes", "01", "--out"]
    assert cli.main([*words, str(tmp_path / "none" / "q")]) == 1
    assert "cannot be made" in capsys.readouterr().err
    os.mkfifo(tmp_path / "01-quiz.md")
    assert cli.main([*words, str(tmp_path)]) == 1
    assert stat.S_ISFIFO((tmp_path / "01-quiz.md").lstat().st_mode)
    assert cli.main([*words, str(tmp_path / "q")]) == 0
    assert cli.main([*words, str(tmp_path / "q")]) == 0
    (tmp_path / "q" / "01-quiz.md").write_text("mine")
    assert cli.main([*words, str(tmp_path / "q")]) == 1
    assert (tmp_path / "q" / "01-quiz.md").read_text() == "mine"


def test_the_courses_own_files_are_no_devices_either(tmp_path: Path) -> None:
    from helpers.course.copies import write_whole

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        write_whole(tmp_path / "pipe", b"x")
    (tmp_path / "link").symlink_to("new")
    write_whole(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new").read_bytes() == b"x"
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(OSError, match="not a regular file"):
        write_whole(tmp_path / "round", b"x")


def test_a_full_disk_leaves_the_file_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.md"
    outfile.save(file, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(outfile.OutError, match="No space left on device"):
        outfile.save(file, b"new", lambda _: True)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.md", b"old")]
