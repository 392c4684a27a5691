"""Which tests run one after another in one worker: those of a file, because they share a server.

Three files hold the tests of every module; there, those of a module stay together, so that all
workers have something to do until the end. What needs Ray runs in one worker, on one cluster: a
start takes as long as many tests, and two clusters on two cores fail each other's timeouts.
"""

import re

from xdist.scheduler import LoadFileScheduling

BY_MODULE = (
    "tests/exercises/test_exercises.py",
    "tests/notebooks/test_every_notebook.py",
    "tests/workshop/test_grade_the_course.py",
)


_ON_RAY = ("06.1", "06.5")


class ByFileAndModule(LoadFileScheduling):
    """pytest-xdist's `--dist loadfile`, with the files of `BY_MODULE` divided."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """The name under which a test's neighbours are kept together."""
    file = nodeid.partition("::")[0]
    module = module_of(nodeid)
    if file.startswith("tests/scale/") or (file in BY_MODULE and module_of(nodeid) == "06"):
        return "ray"
    return f"{file}::{module}" if file in BY_MODULE and module else file


def joins_ray(nodeid: str, *, slow: bool) -> bool:
    """Whether a test runs notebooks or answers of module 06, which join the session's cluster.

    Of the quick ones, those do that try answers to an exercise whose check uses a cluster. The
    walkthrough starts one of its own, since it kills nodes.
    """
    file, _, test = nodeid.partition("::")
    if file not in BY_MODULE or module_of(nodeid) != "06" or "[notebooks/" in test:
        return False
    return slow or (file.startswith("tests/exercises/") and test.partition("[")[2][:4] in _ON_RAY)


def module_of(nodeid: str) -> str | None:
    """The module that a test is about, by its parameters or its file's name; None for all others.

    Parameters name it as in `[05.1-...]`, `[solution-05_serve_with_fastapi]` or `[05]`.
    """
    file, _, test = nodeid.partition("::")
    found = re.search(r"\[\D*(\d\d)[._\]-]", test) or re.search(r"/test_m(\d\d)_", file)
    return found[1] if found else None
