"""`course update` and `course reset`, with a real git remote in a folder."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.services.contents.filemanager import FileContentsManager

from helpers import cli
from helpers.course import checkout, progress, update
from helpers.course.checkout import CheckoutError
from helpers.course.reset import UnknownLab, reset
from helpers.paths import ROOT

LAB = "labs/01_topic.ipynb"
WHO = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *WHO, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def lab(**cells: str) -> dict[str, Any]:
    """A notebook with one code cell for each name; `exercise_N` is an exercise cell."""
    made = []
    for name, source in cells.items():
        exercise = f"01.{name[-1]}" if name.startswith("exercise") else None
        made.append(
            {
                "cell_type": "code",
                "id": name.replace("_", "-"),
                "metadata": {"exercise": exercise} if exercise else {},
                "source": source.splitlines(keepends=True),
                "outputs": [],
                "execution_count": None,
            }
        )
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def sources(file: Path) -> dict[str, str]:
    return {cell["id"]: "".join(cell["source"]) for cell in json.loads(file.read_text())["cells"]}


def write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    file.write_text(text, encoding="utf-8")


class World:
    """A course, its remote, and a learner's clone of it."""

    def __init__(self, folder: Path) -> None:
        self.course, self.remote, self.clone = (folder / name for name in ("course", "git", "mine"))
        self.said: list[str] = []

    def make(self) -> None:
        self.course.mkdir()
        git(self.course, "init", "--quiet", "--initial-branch=main")
        self.publish(
            {
                LAB: lab(intro="print(1)", exercise_1="a = TODO", exercise_2="b = TODO"),
                "labs/01_topic/values.yaml": "replicas: TODO\n",
                "labs/02_other.ipynb": lab(exercise_1="c = TODO"),
                "notebooks/01_topic.ipynb": lab(intro="print(2)"),
                "solutions/src/01_topic.py": "first",
                "helpers/code.py": "one\n",
            }
        )
        folder = self.course.parent
        git(folder, "clone", "--quiet", "--bare", "course", "git")
        git(self.course, "remote", "add", "origin", "../git")
        git(folder, "clone", "--quiet", "git", "mine")
        git(self.clone, "remote", "set-url", "origin", "../git")

    def publish(self, files: dict[str, object]) -> None:
        for path, content in files.items():
            if content is None:
                (self.course / path).unlink()
            else:
                write(self.course / path, content)
        git(self.course, "add", "--all")
        git(self.course, "commit", "--quiet", "-m", "change")
        if self.remote.exists():
            git(self.course, "push", "--quiet", "origin", "main")

    def learn(self, file: str = LAB, **cells: str) -> None:
        """Fill cells of the learner's lab, as JupyterLab would; unknown names are added."""
        path = self.clone / file
        notebook = json.loads(path.read_text())
        for name, source in cells.items():
            key = name.replace("_", "-")
            for cell in notebook["cells"]:
                if cell["id"] == key:
                    cell["source"] = source
                    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
                    cell["execution_count"] = 3
                    break
            else:
                notebook["cells"] += lab(**{name: source})["cells"]
        write(path, notebook)

    def follow(self, advice: str) -> None:
        """Type the lines that a message shows indented, one after another, as they stand there."""
        for line in advice.splitlines():
            if line == "  course update":
                self.update()
            elif line.startswith("  "):
                subprocess.run(line, shell=True, cwd=self.clone, check=True)

    def update(self) -> str:
        before = len(self.said)
        update.update(root=self.clone, say=self.said.append)
        return "\n".join(self.said[before:])

    @property
    def lab(self) -> dict[str, str]:
        return sources(self.clone / LAB)

    def copies(self, path: str = LAB) -> list[Path]:
        return sorted((self.clone / "copies").glob(f"*/{path}"))

    def note(self) -> Path:
        return Path(os.environ["COURSE_HOME"]) / "update.json"


@pytest.fixture(scope="module", autouse=True)
def no_git_settings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, no_git_settings: None) -> Path:
    folder = tmp_path_factory.mktemp("course")
    World(folder).make()
    return folder


@pytest.fixture
def world(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    return World(tmp_path)


# --- update: what becomes of the work ------------------------------------------------------------


def test_nothing_new(world: World) -> None:
    world.learn(exercise_1="a = 1")
    assert world.update() == "This is the newest version already."
    assert world.lab["exercise-1"] == "a = 1"


def test_lab_that_the_learner_never_touched(world: World) -> None:
    world.publish({LAB: lab(intro="print(9)", exercise_1="a = TODO")})
    assert world.update() == "Moved to the newest version (1 change)."
    assert world.lab == {"intro": "print(9)", "exercise-1": "a = TODO"}
    assert not world.copies()


def test_learners_cells_come_back_where_the_exercise_is_unchanged(world: World) -> None:
    world.learn(exercise_1="a = 1", exercise_2="b = 2")
    world.publish(
        {LAB: lab(intro="print('better text')", exercise_1="a = TODO", exercise_2="b: int = TODO")}
    )
    said = world.update()
    assert world.lab == {
        "intro": "print('better text')",
        "exercise-1": "a = 1",
        "exercise-2": "b: int = TODO",
    }
    assert "put back exercise 01.1." in said
    assert "yours was not put back: exercise 01.2." in said
    (copy,) = world.copies()
    assert str(copy) in said
    assert sources(copy)["exercise-2"] == "b = 2"
    assert not world.note().exists()


def test_jupyterlab_shows_the_copies_and_git_does_not(world: World) -> None:
    world.learn(exercise_1="a = 1")
    done = reset("01", root=world.clone)
    assert done.copies is not None
    place = done.copies.relative_to(world.clone).as_posix()
    shown = FileContentsManager(root_dir=str(world.clone))
    assert "copies" in {one["name"] for one in shown.get("")["content"]}
    notebook = shown.get(f"{place}/{LAB}", type="notebook")["content"]
    assert "a = 1" in {cell["source"] for cell in notebook["cells"]}
    assert git(world.clone, "status", "--porcelain") == ""


def test_exercise_that_is_gone(world: World) -> None:
    world.learn(exercise_2="b = 2")
    world.publish({LAB: lab(intro="print(1)", exercise_1="a = TODO")})
    said = world.update()
    assert "no longer in the course: exercise 01.2." in said
    assert sources(world.copies()[0])["exercise-2"] == "b = 2"


def test_lab_that_is_gone(world: World) -> None:
    world.learn(exercise_1="a = 1")
    world.publish({LAB: None})
    assert f"{LAB}: no longer part of the course. Yours is in" in world.update()
    assert not (world.clone / LAB).exists()
    assert sources(world.copies()[0])["exercise-1"] == "a = 1"


def test_cells_that_the_learner_added(world: World) -> None:
    world.learn(scratch="print('mine')")
    world.publish({LAB: lab(intro="print(3)", exercise_1="a = TODO", exercise_2="b = TODO")})
    assert "put back 1 cell that you added." in world.update()
    assert list(world.lab) == ["intro", "exercise-1", "exercise-2", "scratch"]


def test_labs_that_the_course_did_not_change_stay_as_they_are(world: World) -> None:
    world.learn(exercise_1="a = 1")
    before = (world.clone / LAB).read_bytes()
    world.publish({"helpers/code.py": "two\n"})
    world.update()
    assert (world.clone / LAB).read_bytes() == before
    assert world.copies()[0].read_bytes() == before
    assert (world.clone / "helpers/code.py").read_text() == "two\n"


def test_other_files_of_a_lab_are_copied(world: World) -> None:
    write(world.clone / "labs/01_topic/values.yaml", "replicas: 3\n")
    world.publish({"labs/01_topic/values.yaml": "replicas: TODO\nport: TODO\n"})
    assert "labs/01_topic/values.yaml: changed in the course" in world.update()
    (copy,) = world.copies("labs/01_topic/values.yaml")
    assert copy.read_text() == "replicas: 3\n"
    assert (world.clone / "labs/01_topic/values.yaml").read_text() == "replicas: TODO\nport: TODO\n"


def test_editor_that_renames_cells(world: World) -> None:
    world.learn(exercise_1="a = 1")
    raw = (world.clone / LAB).read_text().replace('"exercise-1"', '"0f3c"')
    write(world.clone / LAB, raw)
    world.publish({LAB: lab(intro="print(9)", exercise_1="a = TODO", exercise_2="b = TODO")})
    assert "put back exercise 01.1." in world.update()
    assert world.lab["exercise-1"] == "a = 1"


def test_copied_exercise_cell_does_not_replace_the_original(world: World) -> None:
    world.learn(exercise_1="a = 1")
    notebook = json.loads((world.clone / LAB).read_text())
    notebook["cells"].append({**notebook["cells"][1], "id": "copy", "source": "a = 'an old try'"})
    write(world.clone / LAB, notebook)
    world.publish({LAB: lab(intro="print(9)", exercise_1="a = TODO", exercise_2="b = TODO")})
    world.update()
    assert world.lab["exercise-1"] == "a = 1"
    assert world.lab["copy"] == "a = 'an old try'"


def test_lab_that_is_no_notebook_any_more(world: World) -> None:
    write(world.clone / LAB, '{"cells": [{"cell_type"')
    world.publish({LAB: lab(exercise_1="a = TODO")})
    assert "could not be read as a notebook" in world.update()
    assert world.copies()[0].read_text() == '{"cells": [{"cell_type"'


def test_new_packages_are_announced(world: World) -> None:
    world.publish({"requirements.lock": "x"})
    assert "python3 -m helpers lab" in world.update()


# --- update: what stops it -----------------------------------------------------------------------


def unchanged_after(world: World, message: str) -> None:
    """The update stops with this message, and nothing has moved."""
    head, before = git(world.clone, "rev-parse", "HEAD"), (world.clone / LAB).read_bytes()
    with pytest.raises(CheckoutError, match=message):
        world.update()
    assert git(world.clone, "rev-parse", "HEAD") == head
    assert (world.clone / LAB).read_bytes() == before
    assert not world.note().exists()


def test_no_network(world: World) -> None:
    world.learn(exercise_1="a = 1")
    world.publish({LAB: lab(exercise_1="a = TODO")})
    world.remote.rename(world.remote.with_name("away"))
    unchanged_after(world, "could not be fetched, and nothing was changed")


def test_edited_code_in_the_way(world: World) -> None:
    world.learn(exercise_1="a = 1")
    write(world.clone / "helpers/code.py", "mine\n")
    world.publish({LAB: lab(exercise_1="a = TODO"), "helpers/code.py": "two\n"})
    unchanged_after(world, r"changes files that you changed too: helpers/code\.py")
    assert (world.clone / "helpers/code.py").read_text() == "mine\n"


def test_edited_code_elsewhere_is_left_alone(world: World) -> None:
    write(world.clone / "helpers/code.py", "mine\n")
    world.publish({LAB: lab(exercise_1="a = TODO")})
    world.update()
    assert (world.clone / "helpers/code.py").read_text() == "mine\n"


def test_own_file_where_the_course_brings_one(world: World) -> None:
    write(world.clone / "labs/03_new.ipynb", "mine")
    world.publish({"labs/03_new.ipynb": lab(exercise_1="a = TODO")})
    unchanged_after(world, r"files of your own: labs/03_new\.ipynb")


def test_own_commits_and_the_way_out(world: World) -> None:
    world.learn(exercise_1="a = 1")
    git(world.clone, "commit", "--quiet", "-am", "solved")
    assert world.update() == "This is the newest version already."
    world.publish({LAB: lab(intro="print(9)", exercise_1="a = TODO", exercise_2="b = TODO")})
    with pytest.raises(CheckoutError, match="1 commit of its own") as stopped:
        world.update()
    assert world.lab["exercise-1"] == "a = 1"

    world.follow(str(stopped.value))
    assert world.lab == {"intro": "print(9)", "exercise-1": "a = 1", "exercise-2": "b = TODO"}
    assert "my-work" in git(world.clone, "branch")


def diverged(world: World) -> None:
    """A commit of the learner's and one of the course's that change the same cell and another."""
    world.learn(exercise_1="a = 1")
    git(world.clone, "commit", "--quiet", "-am", "solved")
    world.publish(
        {
            LAB: lab(intro="print(9)", exercise_1="a: int = TODO", exercise_2="b = TODO"),
            "labs/02_other.ipynb": lab(intro="print(8)", exercise_1="c = TODO"),
            "helpers/new.py": "new\n",
        }
    )


def begin_merge(world: World) -> None:
    git(world.clone, "fetch", "--quiet")
    done = subprocess.run(
        ["git", *WHO, "merge", "origin/main"], cwd=world.clone, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"<<<<<<<" in (world.clone / LAB).read_bytes()


def stopped(world: World, message: str) -> str:
    with pytest.raises(CheckoutError, match=message) as error:
        world.update()
    return str(error.value)


def test_the_advice_in_the_middle_of_a_conflicted_merge_works(world: World) -> None:
    diverged(world)
    write(world.clone / "notebooks/01_topic.ipynb", lab(intro="print('mine')"))  # not committed
    before = git(world.clone, "rev-parse", "HEAD")
    begin_merge(world)
    advice = stopped(world, rf"A git merge is not finished here \(in {LAB}\)")
    assert "git merge --abort" in advice
    assert "<<<<<<<" in world.copies()[0].read_text()

    with pytest.raises(CheckoutError, match="1 commit of its own") as next_advice:
        world.follow(advice)
    assert git(world.clone, "rev-parse", "HEAD") == before
    assert not (world.clone / ".git/MERGE_HEAD").exists()
    assert world.lab["exercise-1"] == "a = 1"
    assert git(world.clone, "status", "--porcelain").split() == ["M", "notebooks/01_topic.ipynb"]

    world.follow(str(next_advice.value))
    assert world.lab == {
        "intro": "print(9)",
        "exercise-1": "a: int = TODO",
        "exercise-2": "b = TODO",
    }
    assert "a = 1" in world.copies()[-1].read_text()  # the course had changed that cell
    assert sources(world.clone / "notebooks/01_topic.ipynb") == {"intro": "print('mine')"}


def test_it_also_works_where_merged_files_were_edited_since(world: World) -> None:
    diverged(world)
    begin_merge(world)
    world.learn("labs/02_other.ipynb", exercise_1="c = 'since'")
    write(world.clone / "helpers/new.py", "mine\n")
    with pytest.raises(CheckoutError, match="1 commit of its own"):
        world.follow(stopped(world, "A git merge is not finished"))
    assert git(world.clone, "status", "--porcelain") == ""
    assert sources(world.copies("labs/02_other.ipynb")[0])["exercise-1"] == "c = 'since'"
    assert world.copies("helpers/new.py")[0].read_text() == "mine\n"


def test_a_rebase_that_stopped(world: World) -> None:
    diverged(world)
    git(world.clone, "fetch", "--quiet")
    subprocess.run(["git", *WHO, "rebase", "-q", "origin/main"], cwd=world.clone, check=False)
    with pytest.raises(CheckoutError, match="1 commit of its own"):
        world.follow(stopped(world, "A git rebase is not finished"))
    assert world.lab["exercise-1"] == "a = 1"


def test_conflicts_of_a_stash(world: World) -> None:
    world.learn(exercise_1="a = 1")
    git(world.clone, "stash", "--quiet")
    world.publish({LAB: lab(intro="print(9)", exercise_1="a: int = TODO", exercise_2="b = TODO")})
    git(world.clone, "pull", "--quiet")
    world.publish({LAB: lab(intro="print(7)", exercise_1="a: int = TODO", exercise_2="b = TODO")})
    subprocess.run(["git", *WHO, "stash", "pop", "--quiet"], cwd=world.clone, check=False)
    world.follow(stopped(world, "Git has left conflicts here"))
    assert world.lab["intro"] == "print(7)"
    assert "a = 1" in git(world.clone, "stash", "show", "-p")


def test_a_branch_that_keeps_earlier_commits_is_not_in_the_way(world: World) -> None:
    git(world.clone, "branch", "my-work")
    diverged(world)
    world.follow(stopped(world, "1 commit of its own"))
    assert {"my-work", "my-work-2"} <= set(git(world.clone, "branch").split())


def test_branch_without_a_remote(world: World) -> None:
    git(world.clone, "switch", "--quiet", "--create", "mine")
    unchanged_after(world, "follows no remote branch")


def test_folder_without_git(tmp_path: Path) -> None:
    with pytest.raises(CheckoutError, match="not a git clone"):
        update.update(root=tmp_path)


def test_machine_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout.shutil, "which", lambda _: None)
    with pytest.raises(CheckoutError, match="Install it and try again"):
        update.update(root=tmp_path)


# --- update: interrupted -------------------------------------------------------------------------

KILLED = """
import os, sys
from pathlib import Path
from helpers.course import update
from helpers.course.checkout import Checkout
real = {real}
def stop(*a, **k):
    {before}
    os._exit(9)
{where} = stop
update.update(root=Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("where", "before"),
    [
        ("update.keep", "real(*a, **k)"),
        ("update._move", ""),
        ("Checkout.restore", "real(*a, **k)"),
        ("update._put_back", ""),
        ("update._put_back_one", "real(*a, **k)"),
    ],
)
def test_killed_update_is_finished_by_the_next(world: World, where: str, before: str) -> None:
    world.learn(exercise_1="a = 1", exercise_2="b = 2")
    world.publish({LAB: lab(intro="print(9)", exercise_1="a = TODO", exercise_2="b: int = TODO")})
    code = KILLED.format(real=where, where=where, before=before or "pass")
    done = subprocess.run(
        [sys.executable, "-c", code, str(world.clone)], cwd=ROOT, check=False, capture_output=True
    )
    assert done.returncode == 9, done.stderr
    assert sources(world.copies()[0])["exercise-1"] == "a = 1"
    world.update()
    assert world.lab == {
        "intro": "print(9)",
        "exercise-1": "a = 1",
        "exercise-2": "b: int = TODO",
    }
    assert not world.note().exists()
    assert all(sources(copy)["exercise-2"] == "b = 2" for copy in world.copies())


def test_killed_in_the_middle_of_the_move(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.learn(exercise_1="a = 1")
    new_lab = lab(intro="print(9)", exercise_1="a = TODO", exercise_2="b = TODO")
    world.publish({LAB: new_lab, "helpers/code.py": "two\n", "helpers/new.py": "new\n"})

    def half(self: checkout.Checkout, *words: str) -> str:
        if words[0] == "merge":  # git dies when it has written these, and not the branch
            for path in (LAB, "helpers/code.py", "helpers/new.py"):
                write(world.clone / path, (world.course / path).read_text())
            raise KeyboardInterrupt
        return real(self, *words)

    real = checkout.Checkout.git
    with monkeypatch.context() as patch:
        patch.setattr(checkout.Checkout, "git", half)
        with pytest.raises(KeyboardInterrupt):
            world.update()
    world.update()
    assert world.lab["exercise-1"] == "a = 1"
    assert world.lab["intro"] == "print(9)"
    assert git(world.clone, "status", "--porcelain").split() == ["M", LAB]


def test_work_after_an_interruption_is_not_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.learn(exercise_1="a = 1")
    world.publish({LAB: lab(intro="print(9)", exercise_1="a = TODO", exercise_2="b = TODO")})
    with monkeypatch.context() as patch:
        patch.setattr(update, "_put_back", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            world.update()
    world.learn(exercise_2="b = 'since'")
    said = world.update()
    assert world.lab["exercise-2"] == "b = 'since'"
    assert str(world.copies()[0].parent.parent) in said


def test_full_disk_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> Path:
        raise OSError(28, "No space left on device")

    world.learn(exercise_1="a = 1")
    world.publish({LAB: lab(exercise_1="a = TODO")})
    monkeypatch.setattr(update, "keep", full)
    with pytest.raises(OSError, match="No space"):
        world.update()
    assert world.lab["exercise-1"] == "a = 1"


# --- reset ---------------------------------------------------------------------------------------


def test_reset_restores_the_lab_after_a_copy(world: World) -> None:
    world.learn(exercise_1="a = 1")
    write(world.clone / "labs/01_topic/values.yaml", "replicas: 3\n")
    write(world.clone / "labs/01_topic/notes.txt", "my own")
    shipped = (world.course / LAB).read_bytes()
    done = reset("01", root=world.clone)
    assert done.restored == (LAB, "labs/01_topic/values.yaml")
    assert done.copies
    assert sources(done.copies / LAB)["exercise-1"] == "a = 1"
    assert (world.clone / LAB).read_bytes() == shipped
    assert (world.clone / "labs/01_topic/notes.txt").read_text() == "my own"
    assert reset("01", root=world.clone).restored == ()
    assert len(world.copies()) == 1


def test_reset_takes_back_what_was_given(world: World) -> None:
    progress.record_given(["01.1", "02.1"])
    reset("01", root=world.clone)
    found = {one.checks[0].exercise: one.checks[0].status for one in progress.report().values()}
    assert found == {"01.1": "not done yet", "02.1": "given"}


def test_reset_brings_back_a_deleted_lab(world: World) -> None:
    (world.clone / LAB).unlink()
    done = reset("01", root=world.clone)
    assert (done.restored, done.copies) == ((LAB,), None)
    assert (world.clone / LAB).is_file()


def test_reset_of_a_lab_that_the_learner_committed(world: World) -> None:
    world.learn(exercise_1="a = 1")
    git(world.clone, "commit", "--quiet", "-am", "solved")
    reset("01", root=world.clone)
    assert world.lab["exercise-1"] == "a = TODO"


def test_reset_of_a_lab_that_its_author_committed(world: World) -> None:
    world.learn(exercise_1="a: int = TODO")
    write(world.clone / "solutions/src/01_topic.py", "second")
    git(world.clone, "commit", "--quiet", "-am", "better")
    world.learn(exercise_1="a = 1")
    reset("01", root=world.clone)
    assert world.lab["exercise-1"] == "a: int = TODO"


def test_reset_says_which_labs_there_are(world: World) -> None:
    with pytest.raises(UnknownLab, match=r"no lab '09'. The labs are: 01, 02\."):
        reset("09", root=world.clone)


@pytest.mark.parametrize("word", ["", " ", "0x", "123", "\u0660\u0661", "../01"])
def test_reset_takes_a_labs_number_alone(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty variable of a shell must not reset lab 00."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(["reset", word])
    assert stopped.value.code == 2
    assert "is not a lab: give its number, such as 01" in capsys.readouterr().err


def test_reset_needs_the_clone(tmp_path: Path) -> None:
    with pytest.raises(CheckoutError, match="not a git clone"):
        reset("01", root=tmp_path)


def test_copies_of_one_second_do_not_meet(world: World) -> None:
    from helpers.course.copies import keep

    made = [keep([world.clone / LAB], root=world.clone) for _ in range(3)]
    assert len(set(made)) == 3
