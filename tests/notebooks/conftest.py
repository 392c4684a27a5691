"""What the notebook tests share: the committed notebooks, and labs fresh from their sources."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.authoring.committed import NoCommitError
from helpers.paths import ROOT
from tests.notebooks import running
from tests.tracing import connections


@pytest.fixture(scope="session")
def committed_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notebooks of the last commit, in a folder of their own."""
    folder = tmp_path_factory.mktemp("committed")
    try:
        running.committed(ROOT, folder)
    except NoCommitError as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="session")
def fresh_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labs and solutions as the sources give them now, in a folder of their own."""
    return running.fresh(ROOT, tmp_path_factory.mktemp("fresh"))


# Notebooks that send what customers wrote to a backend: here, and nowhere else.
TRACING = ("09_trace_with_langsmith",)
# What sends somewhere else on purpose as soon as tracing is on with the learner's own key, which
# the walkthrough shows with a second local service; `tests/tracing/test_switch.py` has these too.
_MEANT = ("LANGSMITH_OTEL_ENABLED", "LANGSMITH_RUNS_ENDPOINTS", "OTEL_EXPORTER_OTLP_ENDPOINT")


@pytest.fixture(autouse=True)
def nothing_leaves(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A notebook that traces talks to this machine alone, whatever keys the environment holds."""
    parameters = getattr(getattr(request.node, "callspec", None), "params", {}).values()
    runs = request.node.get_closest_marker("slow") is not None
    if not runs or not any(stem in str(value) for value in parameters for stem in TRACING):
        yield
        return
    for name, value in {**connections.HOSTILE, **connections.environment(tmp_path)}.items():
        if name not in _MEANT:
            monkeypatch.setenv(name, value)
    yield
    assert "127.0.0.1" in connections.seen(tmp_path), "nothing was recorded"
    assert connections.outside(tmp_path) == set()
