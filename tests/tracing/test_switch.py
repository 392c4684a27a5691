"""`COURSE_TRACING`: to this machine whatever the environment holds, or to LangSmith with a key."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import ROOT
from helpers.tracing.service import running
from tests.tracing import connections

LOCAL = """
import asyncio, json, os, warnings
warnings.simplefilter("ignore")
from helpers import tracing
from langchain_core.runnables import RunnableLambda
from langsmith import Client, traceable

found = tracing.enable("module")
RunnableLambda(lambda x: x, name="chain").invoke("secret")
traceable(lambda x: x, name="function").__call__("secret")
found.flush()
client = Client()  # as a notebook makes one: by the environment
dataset = client.create_dataset("d")
client.create_examples(dataset_id=dataset.id, examples=[{"inputs": {"q": 1}}])
results = client.evaluate(lambda inputs: {"a": 1}, data="d",
                          evaluators=[lambda outputs: {"key": "k", "score": 1}])
list(results)
root = next(client.list_runs(project_name="module"))
client.create_feedback(root.id, "k", score=1, session_id=root.session_id)
client.flush()
project = client.read_project(project_name="module", include_stats=True)

async def newer():
    query = client.runs.query(project_ids=[str(project.id)], selects=["NAME"])
    return [run.name async for run in query]

print(json.dumps({
    "names": sorted(asyncio.run(newer())), "count": project.run_count, "page": found.page,
    "key": os.environ["LANGSMITH_API_KEY"], "endpoint": os.environ["LANGSMITH_ENDPOINT"],
    "sent_key": client.api_key,
}))
"""


def run(script: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LANGSMITH_", "LANGCHAIN_", "COURSE_TRACING"))
    }
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**clean, "COURSE_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def report(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    found: Any = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_nothing_leaves_this_machine(tmp_path: Path) -> None:
    recording = connections.environment(tmp_path)
    done = run(LOCAL, tmp_path, **connections.HOSTILE, **recording, COURSE_TRACING="local")
    found = report(done)
    assert "127.0.0.1" in connections.seen(tmp_path), "nothing was recorded"
    assert connections.outside(tmp_path) == set()
    assert found["names"] == ["chain", "function"]
    assert found["endpoint"].startswith("http://127.0.0.1:")
    assert found["sent_key"] == found["key"] != connections.HOSTILE["LANGSMITH_API_KEY"]
    assert (tmp_path / "traces.db").exists()


VARIABLES = """
import json, os
from helpers import tracing
from langsmith import Client, traceable, utils
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.langchain import wait_for_all_tracers

service = tracing.local()
before = utils.tracing_is_enabled()
traceable(lambda x: x, name="not traced").__call__(1)
utils.get_env_var.cache_clear()  # as if nothing had asked yet
os.environ["LANGSMITH_TRACING"] = "true"
os.environ["LANGSMITH_ENDPOINT"] = service.url
os.environ["LANGSMITH_API_KEY"] = service.key
os.environ["LANGSMITH_PROJECT"] = "mine"
RunnableLambda(lambda x: x, name="chain").invoke(1)
wait_for_all_tracers()
names = [run.name for run in Client().list_runs(project_name="mine")]
again = tracing.local() is service
tracing.disable()
print(json.dumps([before, names, again, os.environ["LANGSMITH_API_KEY"], service.running]))
"""


@pytest.mark.slow
def test_the_four_variables_alone_trace_to_the_service_on_this_machine(tmp_path: Path) -> None:
    recording = connections.environment(tmp_path)
    found = report(run(VARIABLES, tmp_path, **connections.HOSTILE, **recording))
    assert found == [False, ["chain"], True, connections.HOSTILE["LANGSMITH_API_KEY"], False]
    assert connections.outside(tmp_path) == set()


OFF = """
import json, os
import helpers
from langsmith import traceable, utils
traceable(lambda x: x, name="ask").__call__(1)
print(json.dumps({"tracing": utils.tracing_is_enabled()}))
"""


@pytest.mark.parametrize("switch", ["", "local"])
def test_a_key_alone_starts_nothing(tmp_path: Path, switch: str) -> None:
    """Also not `local` before `enable()`: a key would send the traces to LangSmith."""
    recording = connections.environment(tmp_path)
    found = report(run(OFF, tmp_path, **connections.HOSTILE, **recording, COURSE_TRACING=switch))
    assert found["tracing"] is False
    assert connections.outside(tmp_path) == set()


WITH_KEY = """
import json, os
from helpers import tracing
from langsmith import traceable
for redact in (False, True):
    try:
        found = tracing.enable("mine", redact=redact)
    except tracing.TracingError as error:
        print(json.dumps({"error": str(error)}))
        raise SystemExit
    traceable(lambda text: text, name="ask").__call__("I am a@b.example")
    found.flush()
print(json.dumps({"mode": found.mode, "page": found.page}))
"""


@pytest.mark.slow
def test_with_a_key_the_same_code_goes_where_the_endpoint_says(tmp_path: Path) -> None:
    """A second instance stands for LangSmith: its own address, its own key."""
    import langsmith

    with running(tmp_path / "hosted.db", key="lsv2_pt_mine") as hosted:
        variables = {
            "COURSE_TRACING": "langsmith",
            "LANGSMITH_ENDPOINT": hosted.url,
            "LANGSMITH_API_KEY": hosted.key,
        }
        found = report(run(WITH_KEY, tmp_path, **variables))
        assert found == {"mode": "langsmith", "page": None}
        client = langsmith.Client(api_url=hosted.url, api_key=hosted.key)
        with pytest.warns(DeprecationWarning, match="list_runs"):
            redacted, sent = client.list_runs(project_name="mine")
        assert (sent.name, sent.inputs) == ("ask", {"text": "I am a@b.example"})
        assert redacted.inputs == {"text": "I am [email]"}
        assert redacted.outputs == {"output": "I am [email]"}
    assert not (tmp_path / "traces.db").exists()


@pytest.mark.parametrize(
    ("switch", "says"),
    [("langsmith", "needs your key: set LANGSMITH_API_KEY"), ("cloud", "set it to 'local' or")],
)
def test_what_is_missing_is_named(tmp_path: Path, switch: str, says: str) -> None:
    assert says in report(run(WITH_KEY, tmp_path, COURSE_TRACING=switch))["error"]


# --- in this process -----------------------------------------------------------------------------


@pytest.fixture
def switched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from helpers import tracing

    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.setenv("LANGSMITH_API_KEY", "real")
    monkeypatch.setenv("LANGSMITH_SOMETHING", "kept")
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    monkeypatch.delenv("COURSE_TRACING", raising=False)
    yield tracing
    tracing.disable()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*will be removed after:DeprecationWarning")
def test_on_again_and_off(switched: Any) -> None:
    from langsmith import traceable, utils

    first = switched.enable("one")
    traceable(lambda x: x, name="a").__call__(1)
    second = switched.enable("two", redact=True)
    assert second.page == first.page, "one service a process"
    traceable(lambda x: x, name="b").__call__("Aisha Garside? 01632 960123, a@b.example")
    second.flush()
    (run_one,) = second.client.list_runs(project_name="one")
    (run_two,) = second.client.list_runs(project_name="two")
    assert (run_one.name, run_two.name) == ("a", "b")
    assert "960123" not in str(run_two.inputs)
    assert str(run_two.url).startswith(str(second.page).split("/?")[0])
    switched.disable()
    assert os.environ["LANGSMITH_API_KEY"] == "real"
    assert os.environ["LANGSMITH_SOMETHING"] == "kept"
    assert "LANGSMITH_ENDPOINT" not in os.environ
    assert utils.tracing_is_enabled() is False
