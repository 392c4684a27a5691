"""What reaches the course's Python and its installers of the settings that a machine has."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from set_up_answers import said, sentence
from small_course import Course, new_course

from helpers.doctor import locked
from helpers.launcher.advice import SetUpError
from helpers.launcher.settings import (
    for_installers,
    for_python,
    from_pip_files,
    from_uv_files,
    set_aside,
)
from helpers.paths import ROOT

# What a learner's shell or an institute's image has set, of every kind that changes an answer.
FOREIGN_PYTHON = {
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONPATH": "/nowhere",
    "PYTHONSTARTUP": "/nowhere/startup.py",
    "PYTHONINSPECT": "1",
    "PYTHONIOENCODING": "ascii",
    "PYTHON_GIL": "1",
    "JUPYTER_PATH": "/nowhere",
    "JUPYTER_CONFIG_PATH": "/nowhere",
    "JUPYTER_PREFER_ENV_PATH": "0",
    "JUPYTERLAB_DIR": "/nowhere",
}
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SOURCES = {
    "PIP_INDEX_URL": "a",
    "PIP_EXTRA_INDEX_URL": "a",
    "PIP_FIND_LINKS": "a",
    "PIP_TRUSTED_HOST": "a",
    "PIP_CERT": "a",
    "PIP_PROXY": "a",
    "PIP_DEFAULT_TIMEOUT": "9",
    "PIP_RETRIES": "1",
    "PIP_KEYRING_PROVIDER": "subprocess",
    "UV_DEFAULT_INDEX": "a",
    "UV_INDEX": "a",
    "UV_INDEX_INTERNAL_PASSWORD": "a",
    "UV_INDEX_STRATEGY": "unsafe-best-match",
    "UV_FIND_LINKS": "a",
    "UV_INSECURE_HOST": "a",
    "UV_NATIVE_TLS": "1",
    "UV_HTTP_TIMEOUT": "9",
    "UV_CACHE_DIR": "a",
    "UV_LINK_MODE": "copy",
    "HTTPS_PROXY": "a",
    "SSL_CERT_FILE": "a",
    "PYTHON_KEYRING_BACKEND": "a",
}
PIP_DIVERTS = {
    "PIP_TARGET": "/x",
    "PIP_PREFIX": "/x",
    "PIP_ROOT": "/x",
    "PIP_DRY_RUN": "1",
    "PIP_REPORT": "/x",
    "PIP_PLATFORM": "win32",
    "PIP_PYTHON": "/x",
    "PIP_PYTHON_VERSION": "3.9",
    "PIP_NO_BINARY": ":all:",
    "PIP_CONSTRAINT": "/x",
    "PIP_REQUIREMENT": "/x",
    "PIP_UPLOADED_PRIOR_TO": "2020-01-01",
}
UV_DIVERTS = {
    "UV_SYSTEM_PYTHON": "1",
    "UV_PROJECT_ENVIRONMENT": "/x",
    "UV_EXCLUDE_NEWER": "2020-01-01",
    "UV_CONSTRAINT": "/x",
    "UV_OVERRIDE": "/x",
    "UV_NO_BINARY": "1",
    "UV_NO_VERIFY_HASHES": "1",
    "UV_NO_INSTALLER_METADATA": "1",
    "UV_VENV_CLEAR": "1",
    "UV_TORCH_BACKEND": "cpu",
    "UV_WORKING_DIR": "/x",
}


def test_installers_get_where_packages_come_from_and_nothing_that_diverts_them() -> None:
    given = {**SOURCES, **PIP_DIVERTS, **UV_DIVERTS}
    got = for_installers(given)
    assert {name: got.get(name) for name in SOURCES} == SOURCES
    assert not got.keys() & {*PIP_DIVERTS, *UV_DIVERTS}
    assert set_aside(given, "pip") == list(PIP_DIVERTS)
    assert set_aside(given, "uv") == list(UV_DIVERTS)


def test_no_word_is_lost_on_a_setting_that_makes_no_difference() -> None:
    idle = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PIP_USER": "1"}
    assert set_aside({**idle, "PIP_TARGET": ""}, "pip") == []
    assert set_aside({"UV_PYTHON": "3.12", "UV_NO_PROGRESS": "1", "UV": "/bin/uv"}, "uv") == []


def test_python_gets_nothing_that_changes_it() -> None:
    kept = {"PATH": "/bin", "PYTHONUNBUFFERED": "1", "JUPYTER_TOKEN": "t", "JUPYTERHUB_USER": "u"}
    clean = for_python({**FOREIGN_PYTHON, **kept, "PYTHONUTF8": "0"})
    assert clean == {**kept, "PYTHONUTF8": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
    assert for_python(clean) == clean


def test_pips_own_command_comes_before_what_holds_for_all() -> None:
    listing = (
        "install.find-links='/a b\\n/c'\n:env:.cert='/e'\nglobal.find-links='/d'\n"
        "global.index-url=\"https://u:it's@h/simple\"\ninstall.target='/x'\ndownload.dest='/y'\n"
    )
    found, aside = from_pip_files(listing)
    assert found == {
        "PIP_FIND_LINKS": "/a b\n/c",
        "PIP_INDEX_URL": "https://u:it's@h/simple",
    }
    assert aside == ["target in pip's configuration"]


def test_uvs_files_are_read_as_uv_reads_them(tmp_path: Path) -> None:
    user, system, root = tmp_path / "user", tmp_path / "system", tmp_path / "course"
    texts = {
        root: 'index-url = "https://course"\n',
        user / "uv": 'index-url = "https://user"\nexclude-newer = 2020-01-01T00:00:00Z\n'
        '[[index]]\nname = "in \\"house\\""\nurl = "./simple"\ndefault = true\n',
        system / "uv": 'native-tls = true\n[[index]]\nurl = "https://system"\n'
        '[pip]\ntarget = "/x"\nfind-links = ["/wheels"]\n',
    }
    for folder, text in texts.items():
        folder.mkdir(parents=True)
        (folder / "uv.toml").write_text(text, encoding="utf-8")
    variables = {"XDG_CONFIG_HOME": str(user), "XDG_CONFIG_DIRS": str(system)}
    text, aside = from_uv_files(variables, root)
    assert tomllib.loads(text) == {
        "index-url": "https://course",
        "index": [
            {"name": 'in "house"', "url": str(user / "uv" / "simple"), "default": True},
            {"url": "https://system"},
        ],
        "native-tls": True,
        "pip": {"find-links": ["/wheels"]},
    }
    assert aside == [
        f"exclude-newer in {user / 'uv' / 'uv.toml'}",
        f"target in {system / 'uv' / 'uv.toml'}",
    ]
    one, _ = from_uv_files({**variables, "UV_CONFIG_FILE": str(root / "uv.toml")}, tmp_path)
    assert tomllib.loads(one) == {"index-url": "https://course", "pip": {}}
    assert from_uv_files({**variables, "UV_NO_CONFIG": "true"}, root) == ("[pip]\n", [])
    (user / "uv" / "uv.toml").write_text("[", encoding="utf-8")
    with pytest.raises(SetUpError, match=r"uv's configuration .* cannot be read"):
        from_uv_files(variables, root)


def configured(course: Course, pip: str, uv: str) -> dict[str, str]:
    """Write a user's configuration of both installers; return the variables that let it be read."""
    (course.home / "pip.conf").write_text(pip, encoding="utf-8")
    (course.home / "uv").mkdir()
    (course.home / "uv" / "uv.toml").write_text(uv, encoding="utf-8")
    return {
        "PIP_CONFIG_FILE": str(course.home / "pip.conf"),
        "XDG_CONFIG_HOME": str(course.home),
        "UV_NO_CONFIG": "",
    }


def test_settings_that_divert_packages_are_set_aside_and_named(course: Course) -> None:
    elsewhere = course.home / "elsewhere"
    files = configured(
        course,
        f"[global]\nquiet = 3\n[install]\ntarget = {elsewhere}\ndry-run = true\n",
        f'exclude-newer = "2020-01-01T00:00:00Z"\n[pip]\ntarget = "{elsewhere}"\n',
    )
    variables = {
        name: str(elsewhere) if value == "/x" else value
        for name, value in {**PIP_DIVERTS, **UV_DIVERTS}.items()
    }
    result = course.set_up(**files, **variables)
    assert said(result)["alpha"] == "1.0"
    assert not elsewhere.exists()
    tool = "pip" if "with pip" in result.stdout else "uv"
    named = next(line for line in result.stdout.splitlines() if line.startswith("Set aside"))
    own = PIP_DIVERTS if tool == "pip" else UV_DIVERTS
    assert all(name in named for name in own)
    assert ("dry-run in pip's configuration" if tool == "pip" else "exclude-newer in ") in named
    assert "target in " in named


def test_the_machines_own_sources_are_used(course: Course) -> None:
    files = configured(
        course,
        f"[global]\nno-index = true\n[install]\nfind-links = {course.wheels.as_uri()}\n",
        'no-index = true\nfind-links = ["../../wheels"]\n',
    )
    result = course.start("say", **files)
    assert said(result)["alpha"] == "1.0"
    for name in ("no-index", "find-links"):
        assert f"{name} in " not in result.stdout


@pytest.mark.slow
def test_a_broken_configuration_of_pip_is_named(tmp_path: Path) -> None:
    course = new_course(tmp_path, uv=False)
    files = configured(course, "[global\n", "")
    assert "pip.conf" in sentence(course.set_up(**files))


PRETENDS = """#!/bin/sh
case "$1 $2" in
  "pip install") exit 0 ;;
  *) exec "{python}" -m venv --without-pip "{venv}" ;;
esac
"""
# A uv that installs, and loses a file of a package on the way.
LOSES = """#!/bin/sh
case "$1 $2" in
  "pip install") unzip() {{ "{python}" -m zipfile -e "$@"; }}
    unzip "{wheels}/tiny_alpha-1.0-py3-none-any.whl" "{packages}"
    rm "{packages}/tiny_alpha.py" ;;
  *) exec "{python}" -m venv --without-pip "{venv}" ;;
esac
"""


@pytest.mark.parametrize(
    ("program", "found"),
    [(PRETENDS, "tiny-alpha 1.0 (here: none)"), (LOSES, "(here: without tiny_alpha.py)")],
    ids=["pretends", "loses"],
)
def test_what_is_not_in_the_environment_is_no_complete_set_up(
    tmp_path: Path, program: str, found: str
) -> None:
    course = new_course(tmp_path, uv=False)
    venv = course.root / ".venv"
    packages = venv / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    course.put_program(
        "uv",
        program.format(python=course.python, venv=venv, wheels=course.wheels, packages=packages),
    )
    result = course.set_up(PATH=f"{course.programs}:/usr/bin:/bin")
    assert found in sentence(result)
    assert "complete" not in result.stdout
    assert not (venv / "course-stamp.json").exists()


def test_the_lock_says_for_every_machine_what_reads_its_conditions() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("packaging==") and ";" not in line for line in lines)
    assert len(locked(ROOT / "requirements.lock")) < sum("==" in line[:60] for line in lines)


def test_a_package_that_went_since_is_installed_again(quick_course: Course) -> None:
    quick_course.set_up()
    for path in quick_course.packages().glob("tiny_alpha*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    result = quick_course.set_up()
    assert said(result)["alpha"] == "1.0"
    assert "Setting the course up" in result.stdout
    assert quick_course.start("say").stdout.startswith("said ")


def test_a_stamp_that_names_no_packages_is_not_believed(course: Course) -> None:
    course.set_up()
    shutil.rmtree(course.wheels)
    stamp = course.root / ".venv" / "course-stamp.json"
    fields = json.loads(stamp.read_text(encoding="utf-8"))
    assert "tiny_alpha" in fields.pop("packages")
    stamp.write_text(json.dumps(fields), encoding="utf-8")
    again = course.start("say")  # what is there needs no network
    assert said(again)["alpha"] == "1.0"
    assert "The set-up is complete." in again.stdout
    assert course.start("say").stdout.startswith("said ")


@pytest.mark.parametrize("uv", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_colon_in_the_folders_name_gets_a_sentence(tmp_path: Path, uv: bool) -> None:
    course = new_course(tmp_path, uv=uv)
    course.root = course.root.rename(tmp_path / "week 1: agents")
    assert "contains ':'" in sentence(course.set_up())
    course.root = course.root.rename(tmp_path / "week 1")
    assert said(course.set_up())["alpha"] == "1.0"


@pytest.mark.parametrize("settings", [FOREIGN_PYTHON, ASCII], ids=["foreign", "ascii"])
def test_every_door_leads_to_a_clean_python(quick_course: Course, settings: dict[str, str]) -> None:
    quick_course.root = quick_course.root.rename(quick_course.root.with_name("Kurs für mich"))
    first = quick_course.set_up("say", "où ?", **settings)
    programs = quick_course.root / ".venv" / "bin"
    doors = [[str(programs / "python"), "-m", "helpers"], [str(programs / "course")]]
    results = [first, quick_course.start("say", "où ?", **settings)]
    results += [
        subprocess.run(
            [*door, "say", "où ?"],
            cwd=quick_course.root,
            env=quick_course.environment(PATH="/usr/bin:/bin", **settings),
            capture_output=True,
            text=True,
            check=True,
        )
        for door in doors
    ]
    assert "Setting the course up" not in results[1].stdout
    for result in results:
        found = said(result)
        assert found["words"] == ["say", "où ?"]
        assert found["flags"] == [0, 0, 0]
        assert found["encodings"] == ["utf-8"] * 3
        assert found["variables"] == ["JUPYTER_PREFER_ENV_PATH", "PYTHONUTF8"]
