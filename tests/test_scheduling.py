"""Tests that share a server stay in one worker; modules are shared out between all."""

import pytest

from helpers.paths import ROOT
from tests import scheduling
from tests.scheduling import scope


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/service/test_redis.py::test_a[05.1-x]", "tests/service/test_redis.py"),
        (
            "tests/exercises/test_exercises.py::test_a_wrong_answer[05.6-no_bound]",
            "tests/exercises/test_exercises.py::05",
        ),
        (
            "tests/notebooks/test_every_notebook.py::test_a[notebooks/09_trace.ipynb]",
            "tests/notebooks/test_every_notebook.py::09",
        ),
        (
            "tests/notebooks/test_every_notebook.py::test_a[walkthrough-09_trace]",
            "tests/notebooks/test_every_notebook.py::09",
        ),
        (
            "tests/notebooks/test_every_notebook.py::test_drift",
            "tests/notebooks/test_every_notebook.py",
        ),
        ("tests/scale/test_cluster.py::test_a", "ray"),
        ("tests/exercises/test_exercises.py::test_a_wrong_answer[06.5-no_bound]", "ray"),
        ("tests/notebooks/test_every_notebook.py::test_a[06_scale_with_ray]", "ray"),
        (
            "tests/notebooks/test_every_notebook.py::test_a[notebooks/06_scale_with_ray.ipynb]",
            "ray",
        ),
    ],
)
def test_a_test_belongs_to_its_file_or_to_its_module(nodeid: str, expected: str) -> None:
    assert scope(nodeid) == expected


@pytest.mark.parametrize(
    ("nodeid", "module"),
    [
        ("tests/exercises/test_exercises.py::test_a[00.2-no_guard]", "00"),
        ("tests/course/test_quiz.py::test_a[05]", "05"),
        ("tests/course/test_m09_given.py::test_a", "09"),
        ("tests/course/test_check.py::test_a[4]", None),
        ("tests/authoring/test_style.py::test_a", None),
    ],
)
def test_a_test_names_its_module(nodeid: str, module: str | None) -> None:
    assert scheduling.module_of(nodeid) == module


def test_the_divided_files_exist() -> None:
    assert all((ROOT / name).is_file() for name in scheduling.BY_MODULE)
