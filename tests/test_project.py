"""pyproject.toml, the two locks, environment.yml, README and the launcher say the same."""

import itertools
import json
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from helpers import cli
from helpers.__main__ import NEWEST, OLDEST
from helpers.authoring.locks import entries
from helpers.course import check
from helpers.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LEARNER = entries((ROOT / "requirements.lock").read_text("utf-8"))
DEVELOPER = entries((ROOT / "requirements-dev.lock").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


def pins(lock: dict[str, str]) -> dict[str, list[Requirement]]:
    """A lock's entries by package name; one package may have a version for each Python."""
    found: dict[str, list[Requirement]] = {}
    for line in lock:
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def unmet(wanted: list[str], locked: dict[str, list[Requirement]]) -> list[str]:
    """What of `wanted` has no entry, or one that is outside the versions that it allows."""
    return [
        text
        for text in wanted
        if not (found := locked.get(canonicalize_name(Requirement(text).name)))
        or not all(
            Requirement(text).specifier.contains(str(pin.specifier).removeprefix("=="))
            for pin in found
        )
    ]


def test_the_comparison_itself() -> None:
    locked = pins(entries("numpy==2.4.6 \\\n    --hash=sha256:00\n"))
    assert unmet(["numpy>=2"], locked) == []
    assert unmet(["NumPy"], locked) == []
    assert unmet(["numpy>=3", "scipy"], locked) == ["numpy>=3", "scipy"]


def test_the_learners_lock_has_what_the_project_needs() -> None:
    assert unmet(PROJECT["project"]["dependencies"], pins(LEARNER)) == []


def test_the_developers_lock_has_what_the_tests_need_besides() -> None:
    both = pins({**LEARNER, **DEVELOPER})
    assert unmet(PROJECT["dependency-groups"]["dev"], both) == []
    assert not LEARNER.keys() & DEVELOPER.keys()


def test_both_locks_come_from_one_resolution() -> None:
    twice = pins(LEARNER).keys() & pins(DEVELOPER).keys()
    for name in twice:  # the same version, needed on more platforms by the tests
        versions = [
            {str(pin.specifier) for pin in pins(lock)[name]} for lock in (LEARNER, DEVELOPER)
        ]
        assert versions[0] == versions[1], name


def test_every_entry_has_one_version_and_its_hashes() -> None:
    for line, block in {**LEARNER, **DEVELOPER}.items():
        assert re.fullmatch(r"==[\w.+!-]+", str(Requirement(line).specifier)), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), line


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_host_and_sets_no_option(lock: str) -> None:
    for line in (ROOT / lock).read_text("utf-8").splitlines():
        assert "://" not in line
        assert re.match(r"[a-z0-9]|    --hash=sha256:|#", line), line


def test_what_the_model_packages_would_bring_stays_out() -> None:
    left_out = {Requirement(text).name for text in PROJECT["tool"]["uv"]["override-dependencies"]}
    assert left_out
    assert not left_out & (pins(LEARNER).keys() | pins(DEVELOPER).keys())


def test_the_pythons_agree() -> None:
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    covered = [minor for minor in range(30) if allowed.contains(f"3.{minor}.5")]
    assert covered == list(range(OLDEST[1], NEWEST[1] + 1))
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    assert [text.split("=")[0] for text in conda] == ["python"], "the launcher brings the rest"
    assert allowed.contains(f"{conda[0].split('=')[1]}.1")
    assert f"3.{OLDEST[1]} to 3.{NEWEST[1]}" in README


# --- README beside what it speaks of ---


def table(heading: str) -> list[list[str]]:
    """The cells of README's table whose header begins with `heading`, without header and rule."""
    lines = README[README.index(f"\n{heading}") + 1 :].splitlines()
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows][2:]


MODULES = table("| | walkthrough |")
TARGET = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


def title_line(path: Path) -> str:
    """What follows the first bold mark of a notebook: its minutes, and what comes before it."""
    cell = nbformat.read(path, as_version=4)["cells"][0]["source"]  # type: ignore[no-untyped-call]
    return " ".join(cell[cell.index("**") :].split("```")[0].split())


def anchors(text: str) -> set[str]:
    """The anchors that headings of a Markdown page make, code blocks left out."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def blocks(language: str) -> list[str]:
    """README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_readme_has_every_link_and_anchor() -> None:
    targets = [target for _, target in TARGET.findall(README)]
    assert any(target.startswith("#") for target in targets)
    for target in targets:
        path, _, anchor = target.partition("#")
        assert not path or (ROOT / path).exists(), target
        page = (ROOT / path).read_text("utf-8") if path else README
        assert not anchor or anchor in anchors(page), target


def test_readme_lists_all_thirteen_modules() -> None:
    assert [row[0] for row in MODULES] == [f"{number:02}" for number in range(13)]


@pytest.mark.parametrize("row", MODULES, ids=lambda row: str(row[0]))
def test_readme_says_of_each_module_what_its_notebooks_say(row: list[str]) -> None:
    number, name, minutes, lab, before, state, able = row
    there = {
        folder: sorted((ROOT / folder).glob(f"{number}_*.ipynb"))
        for folder in ("notebooks", "labs", "solutions")
    }
    assert able
    if not any(there.values()):
        assert (minutes, lab, state) == ("-", "-", "to come")
        assert not TARGET.search(name)
        return
    walkthrough = there["notebooks"][0]
    linked = TARGET.fullmatch(name)
    assert linked
    assert ROOT / linked[2] == walkthrough
    said = title_line(walkthrough)
    assert re.match(rf"\*\*{minutes} minutes\b", said), said
    wanted = re.search(r"Before it: ([^.*]+)", said) or re.search(r"Level: ([^.*]+)", said)
    assert wanted
    assert re.findall(r"\d\d", wanted[1]) == re.findall(r"\d\d", before), wanted[1]
    assert state == "ready"
    exercises = there["labs"][0]
    linked = TARGET.fullmatch(lab)
    assert linked
    assert ROOT / linked[2] == exercises
    assert re.search(rf"\*\*{linked[1]} minutes\b", title_line(exercises))


def test_each_notebook_is_in_the_table() -> None:
    numbers = {path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert numbers == {row[0] for row in MODULES if row[5] != "to come"}


def test_what_is_to_come_is_said_wherever_readme_sends_a_reader() -> None:
    coming = {row[0] for row in MODULES if row[5] == "to come"}
    symptoms = table("| your agent | module |")
    assert len(symptoms) >= 10
    assert ["refunds too much, or calls tools that nobody asked for", "04"] in symptoms
    for symptom, where in symptoms:
        for place in re.findall(r"\d\d[^;]*", where):
            assert ("to come" in place) is (place[:2] in coming), symptom


def test_the_picture_names_every_module_of_the_way() -> None:
    (picture,) = blocks("mermaid")
    assert "accTitle: " in picture
    described = picture[picture.index("accDescr: ") :].splitlines()[0]
    for number in (row[0] for row in MODULES[1:12]):
        assert number in described
        assert number in picture.replace(described, "")
    assert README.index("```mermaid") < README.index("## Start")


def test_the_sample_card_is_what_the_check_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    (code,), (card,) = blocks("python"), blocks("text")
    exec(code, {"check": check})
    assert capsys.readouterr().out == card


def test_readme_gives_the_two_commands_after_the_clone_line() -> None:
    clone = re.search(r"^git clone <[^>]+> (\S+)\ncd (\S+)$", README, flags=re.MULTILINE)
    assert clone
    assert clone[1] == clone[2]
    commands = re.findall(r"^python3 -m helpers (\w+) +#", README, flags=re.MULTILINE)
    assert commands == ["lab", "test"]
    assert (
        README.index(clone[0]) < README.index("python3 -m helpers lab") < README.index("## Modules")
    )


def test_the_command_tables_are_those_of_the_command() -> None:
    listed = re.findall(r"^\| `([a-z-]+)", README, flags=re.MULTILINE)
    assert sorted(listed) == sorted(cli.COMMANDS)
    for name in set(re.findall(r"(?:`course|-m helpers) ([a-z][a-z-]+)", README)):
        assert name in cli.COMMANDS, f"README speaks of a command {name}, which is not there"


def test_the_devcontainer_runs_readmes_command() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    command = container["postAttachCommand"]
    assert command.startswith("python3 -m helpers lab ")
    assert "\npython3 -m helpers lab " in README
    (port,) = container["forwardPorts"]
    assert f"--port={port}" in command.split()
    assert "--no-browser" in command.split()
    assert list(container["portsAttributes"]) == [str(port)]
    version = container["image"].rpartition(":")[2]
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(f"{version}.1")
    assert set(container) == {
        "name", "image", "forwardPorts", "portsAttributes", "postAttachCommand",
    }, "no extra tool: the command does the rest"  # fmt: skip
