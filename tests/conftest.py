"""Settings that every test shares: one thread a model, and a course folder of its own."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before any room is imported: tests never write into the learner's own `.course/`.
os.environ.setdefault("COURSE_HOME", tempfile.mkdtemp(prefix="course-tests-"))
os.environ.setdefault("COURSE_THREADS", "1")
os.environ.setdefault("COURSE_FAST", "1")
os.environ.setdefault("RAY_worker_niceness", "0")  # see helpers/course/suite.py

# A failing assertion shows its values in every module of the tests, also where it is not one with
# tests of its own.
for _path in Path(__file__).parent.iterdir():
    if _path.name.isidentifier():
        pytest.register_assert_rewrite(f"tests.{_path.name}")


def pytest_configure(config: pytest.Config) -> None:
    """Leave out what Ray Serve's own files are warned of; declare the marker for Prometheus."""
    config.addinivalue_line("filterwarnings", "ignore:Using extra keyword arguments on `Field`")
    config.addinivalue_line("markers", "prometheus(*more): needs prometheus, promtool and `more`")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs Prometheus where it is not installed; fail it where it must be."""
    if (marker := item.get_closest_marker("prometheus")) is None:
        return
    from tests.monitor.required import require_prometheus

    require_prometheus(*marker.args)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that `course test NN` sets."""
    parser.addoption("--module", metavar="NN", help="of tests for all modules, those of this one")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about other modules, or about none, of the folders that all share."""
    if not (wanted := config.getoption("--module")):
        return
    from helpers.course.suite import SHARED
    from tests.scheduling import module_of

    mine = [
        item
        for item in items
        if not item.nodeid.startswith(SHARED) or module_of(item.nodeid) == wanted
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in mine])
    items[:] = mine


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests out by file and by module where `--dist loadfile` is asked for."""
    # Imported here, because it loads pytest-xdist, which is not there when it is switched off.
    from tests.scheduling import ByFileAndModule

    return ByFileAndModule(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """The session's one Ray cluster, stopped at its end."""
    from helpers.scale import start_ray

    cluster = start_ray(cpus=8)
    yield cluster
    cluster.stop()


@pytest.fixture(autouse=True)
def _leave_the_settings() -> Iterator[None]:
    """No test changes another's settings: a command sets some for the process that it runs in."""
    before = {name: value for name, value in os.environ.items() if name.startswith("COURSE_")}
    yield
    for name in [name for name in os.environ if name.startswith("COURSE_")]:
        if name not in before:
            del os.environ[name]
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _join_the_cluster(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels of module 06's labs and solutions, and its answers, join it: none starts its own."""
    from tests.scheduling import joins_ray

    node = request.node
    if joins_ray(node.nodeid, slow=node.get_closest_marker("slow") is not None):
        cluster = request.getfixturevalue("ray_cluster")
        where = {"address": cluster.address, "url": cluster.url}
        monkeypatch.setenv("COURSE_RAY", json.dumps(where))
