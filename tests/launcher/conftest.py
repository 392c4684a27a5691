"""Courses to set up in a test."""

from pathlib import Path

import pytest
from small_course import Course, find_uv, new_course


@pytest.fixture(params=["uv", pytest.param("pip", marks=pytest.mark.slow)])
def course(request: pytest.FixtureRequest, tmp_path: Path) -> Course:
    """A course that was never set up, once with uv and once with venv and pip."""
    return new_course(tmp_path, uv=request.param == "uv")


@pytest.fixture
def quick_course(tmp_path: Path) -> Course:
    """A course that was never set up, with uv where there is one."""
    return new_course(tmp_path, uv=find_uv() is not None)
