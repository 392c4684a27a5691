"""`course style`, as an author runs it."""

import pytest

from helpers import cli
from helpers.authoring.editions import stems
from helpers.paths import ROOT

WALKTHROUGHS = stems(ROOT / "notebooks/src", "*.py")


def test_one_line_a_walkthrough_below_the_limits(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["style"])
    head, limits, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "cells"
    assert "30-70" in limits
    assert ">=60%" in limits
    assert [row[:2] for row in rows] == [stem[:2] for stem in WALKTHROUGHS]


@pytest.mark.parametrize("name", ["99", "foo", ""])
def test_a_module_that_is_not_there_gets_one_sentence(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["style", "00", name]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"course style: No walkthrough is called {name!r}. There are: 00, ")
    assert said.err.count("\n") == 1


def test_a_name_twice_is_one_row(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["style", "00", "00_start_here"])
    assert len(capsys.readouterr().out.splitlines()) == 3
