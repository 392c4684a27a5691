"""The launcher on a small course: what a learner meets, from the first start on."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from set_up_answers import said, sentence
from small_course import DEAD, Course, lock_of, new_course, write_wheel


def test_first_start_sets_up_and_the_second_asks_nobody(course: Course) -> None:
    first = course.set_up("say", "good morning", "3")
    assert said(first)["prefix"] == str(course.root / ".venv")
    assert said(first)["words"] == ["say", "good morning", "3"]
    assert first.returncode == 3
    assert "Setting the course up" in first.stdout

    shutil.rmtree(course.wheels)
    shutil.rmtree(course.home)
    second = course.start("say", "again")
    assert second.returncode == 0
    assert second.stdout.startswith("said ")

    inside = subprocess.run(
        [course.root / ".venv" / "bin" / "python", "-m", "helpers", "say", "inside"],
        cwd=course.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert inside.stdout.startswith("said ")
    command = subprocess.run(
        [course.root / ".venv" / "bin" / "course", "say", "from elsewhere"],
        cwd=course.root.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said(command)["words"] == ["say", "from elsewhere"]


def test_usage_needs_no_environment(quick_course: Course) -> None:
    assert quick_course.start().stdout == "usage: course COMMAND\n"
    assert quick_course.start("sya").returncode == 2
    assert not (quick_course.root / ".venv").exists()


def test_only_the_tests_get_the_developers_lock(quick_course: Course) -> None:
    assert said(quick_course.set_up("say"))["beta"] is None
    assert said(quick_course.set_up("test"))["beta"] == "1.0"


def test_a_newer_lock_is_installed_over_the_old_one(quick_course: Course) -> None:
    quick_course.set_up()
    digest = write_wheel(quick_course.wheels, "tiny_alpha", "2.0.1")
    quick_course.lock("requirements.lock", lock_of("tiny_alpha", digest, "2.0.1"))
    assert said(quick_course.set_up())["alpha"] == "2.0.1"


def test_offline_with_a_newer_lock_names_the_way_to_go_on(quick_course: Course) -> None:
    quick_course.set_up()
    digest = write_wheel(quick_course.wheels, "tiny_alpha", "2.0.1")
    quick_course.lock("requirements.lock", lock_of("tiny_alpha", digest, "2.0.1"))
    result = quick_course.start(
        "say", UV_INDEX_URL=f"{DEAD}/simple", PIP_INDEX_URL=f"{DEAD}/simple"
    )
    assert "network is away" in sentence(result)
    old = quick_course.root / ".venv" / "bin" / "python"
    assert f"{old} -m helpers say" in result.stderr
    # The old packages are still whole, and the new ones come when the network does.
    assert said(quick_course.set_up())["alpha"] == "2.0.1"


def test_a_package_that_is_not_the_locked_one_is_refused(course: Course) -> None:
    course.lock("requirements.lock", lock_of("tiny_alpha", "0" * 64))
    assert "its hash differs" in sentence(course.set_up())
    assert not list(course.packages().glob("tiny_alpha*"))


def test_without_a_network_it_says_so(course: Course) -> None:
    index = f"{DEAD}/simple"
    assert "network is away" in sentence(
        course.start("say", UV_INDEX_URL=index, PIP_INDEX_URL=index)
    )


def test_a_folder_of_wheels_that_lacks_one_is_named_as_the_cause(quick_course: Course) -> None:
    (quick_course.wheels / "tiny_alpha-1.0-py3-none-any.whl").unlink()
    assert "was not found" in sentence(quick_course.set_up())


def test_there_is_no_such_folder_of_wheels(quick_course: Course) -> None:
    result = quick_course.start("say", "--wheels", "nowhere")
    assert result.returncode == 2
    assert "there is no folder 'nowhere'" in result.stderr


def test_what_an_interruption_left_by_half_is_installed_again(course: Course) -> None:
    course.set_up()
    (course.root / ".venv" / "course-stamp.json").unlink()
    half = course.packages() / "tiny_alpha.py"
    half.unlink()  # uv shares the file with its cache
    half.write_text("VERS", encoding="utf-8")
    result = course.set_up()
    assert said(result)["alpha"] == "1.0"
    assert "left tiny_alpha unfinished" in result.stdout


def test_an_environment_that_does_not_start_is_made_again(quick_course: Course) -> None:
    quick_course.set_up()
    python = quick_course.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python3")
    assert said(quick_course.set_up())["alpha"] == "1.0"


def test_ctrl_c_is_one_sentence_and_the_next_start_goes_on(quick_course: Course) -> None:
    program = quick_course.programs / "uv"
    real = program.resolve() if program.exists() else None
    started = quick_course.root / "started"
    wait = f"[ $1 != venv ] || {{ : > '{started}'; exec sleep 60; }}"
    quick_course.put_program("uv", f"#!/bin/sh\n{wait}\n")
    process = subprocess.Popen(
        quick_course.command("say"),
        cwd=quick_course.root,
        env=quick_course.environment(PATH=f"{quick_course.programs}:/usr/bin:/bin"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 30
    while not started.exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "goes on where it stopped" in errors
    program.unlink()
    if real is not None:
        program.symlink_to(real)
    assert said(quick_course.set_up())["alpha"] == "1.0"


def test_a_moved_folder_is_mended_without_a_network(course: Course) -> None:
    course.set_up()
    shutil.rmtree(course.wheels)
    shutil.rmtree(course.home)
    moved = course.root.with_name("moved to here")
    course.root.rename(moved)
    course.root = moved
    result = course.start("say")
    assert said(result)["prefix"] == str(moved / ".venv")
    script = subprocess.run(
        [moved / ".venv" / "bin" / "tiny_alpha"], capture_output=True, text=True, check=True
    )
    assert script.stdout == "tiny_alpha 1.0\n"
    assert "my course" not in (moved / ".venv" / "bin" / "activate").read_text(encoding="utf-8")


def test_two_starts_at_once_set_up_once(quick_course: Course) -> None:
    arguments = {
        "cwd": quick_course.root,
        "env": quick_course.environment(),
        "stdout": subprocess.PIPE,
        "text": True,
    }
    command = quick_course.command("say", "--wheels", str(quick_course.wheels))
    both = [subprocess.Popen(command, **arguments) for _ in range(2)]  # type: ignore[call-overload]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Setting the course up" in output for output in outputs) == 1
    assert all("said " in output for output in outputs)


@pytest.mark.slow
def test_a_stand_in_for_uv_that_does_not_answer_is_passed_over(quick_course: Course) -> None:
    quick_course.put_program("uv", "#!/bin/sh\nexit 127\n")
    result = quick_course.set_up()
    assert said(result)["alpha"] == "1.0"
    assert "with pip" in result.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="the other tests are not root's")
def test_an_ordinary_user_sets_up_in_a_folder_of_their_own() -> None:
    setpriv = shutil.which("setpriv")
    nobody = 65534
    as_nobody = [setpriv, f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups"]
    with tempfile.TemporaryDirectory() as name:
        course = new_course(Path(name), uv=False)
        for path in [Path(name), *Path(name).rglob("*")]:
            os.chown(path, nobody, nobody)
        course.prefix = [word for word in as_nobody if word]
        for python in (course.python, "/usr/bin/python3"):
            course.python = python
            if setpriv and _supported([*course.prefix, python]):
                break
        else:
            pytest.skip("no Python of the right version that an ordinary user may run")
        result = course.set_up()
        assert said(result)["prefix"] == str(course.root / ".venv")
        assert (course.root / ".venv").stat().st_uid == nobody


def _supported(python: list[str]) -> bool:
    right = "(3, 11) <= sys.version_info[:2] <= (3, 13) and os.access(sys.executable, os.X_OK)"
    code = f"import ensurepip, os, sys; raise SystemExit(not ({right}))"
    try:
        return (
            subprocess.run([*python, "-c", code], capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False


def test_another_python_than_the_environments_uses_it_as_it_is(quick_course: Course) -> None:
    quick_course.set_up()
    code = (
        "import sys, runpy; sys.version_info = (3, 13, 0, 'final', 0); "
        "sys.argv = ['helpers', 'say']; runpy.run_module('helpers', run_name='__main__')"
    )
    result = subprocess.run(
        [quick_course.python, "-c", code],
        cwd=quick_course.root,
        env=quick_course.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.startswith("said ")
    assert said(result)["prefix"] == str(quick_course.root / ".venv")
