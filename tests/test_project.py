"""pyproject.toml, the two locks, environment.yml, README and the launcher say the same."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from helpers import cli
from helpers.__main__ import NEWEST, OLDEST
from helpers.authoring.locks import entries
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


def test_readme_names_every_command_and_no_other() -> None:
    named = set(re.findall(r"^\| `([a-z-]+)[^`]*` \|", README, flags=re.MULTILINE))
    assert named == set(cli.COMMANDS)


def test_what_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
