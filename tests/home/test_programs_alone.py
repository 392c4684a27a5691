"""Each program that learners take home, run where `helpers` cannot be imported.

A new program needs an entry in `TRIED`: a function that says what to call and what must come. The
model is a server in the shapes of OpenAI's API; the program runs in a process of its own.
"""

import importlib.metadata
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import yaml

from helpers.authoring.alone import run_alone
from helpers.course.home import PROGRAMS
from helpers.course.home.project import new_project
from helpers.course.home.requirements import imported
from helpers.scale import rayservice, serve_config
from helpers.testbed import openai_server
from helpers.testbed.replies import Fails
from tests.home.agent import try_agent
from tests.home.alone import run
from tests.home.dockerfile import try_dockerfile
from tests.home.evals import try_evals
from tests.home.guards import try_guards
from tests.home.kubernetes import try_base, try_base_file, try_dev, try_hpa, try_ingress, try_prod
from tests.home.mcp_server import try_mcp_server
from tests.home.monitoring import try_dashboard, try_metrics, try_rules, try_rules_test
from tests.home.policy import try_policy
from tests.home.serve_app import try_serve_app
from tests.home.service import try_service
from tests.home.tiers import try_tiers
from tests.home.tracing import try_tracing

NAMES = sorted(
    path.relative_to(PROGRAMS).as_posix()
    for path in PROGRAMS.rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
)


def try_ask() -> None:
    """A message with its text, tokens and tool calls; a stream that comes while it is written."""
    code = """
import time
from ask import ask, stream

reply, call = ask(model, "How heavy is it?"), ask(model, "Where is order 7?")
begin, pieces, first = time.perf_counter(), [], 0
for piece in stream(model, "Where do I pitch it?"):
    first = first or (piece and time.perf_counter() - begin)
    pieces.append(piece)
waited = time.perf_counter() - begin
try:
    failed = list(stream(model, "Again?"))
except Exception as error:
    failed = type(error).__name__
print(json.dumps([reply.text, reply.usage_metadata["output_tokens"], call.tool_calls[0]["args"],
                  pieces, first / waited, failed]))
"""
    words = "Pitch it on a slope, away from the trees, and open it against the wind."
    call = {"name": "track", "args": {"order": 7}}
    replies = ["It weighs 2.1 kg.", call, words, Fails(400, "no more")]
    with openai_server(replies=replies, token_s=0.05) as server:
        text, tokens, args, pieces, first, failed = run(code, server.url)
    assert (text, tokens, args) == ("It weighs 2.1 kg.", 4, {"order": 7})
    assert "".join(pieces) == words
    assert sum(map(bool, pieces)) > 5
    assert first < 0.5
    assert "Error" in failed
    asked = [body["messages"] for body in server.requests]
    assert [messages[-1]["content"] for messages in asked] == [
        "How heavy is it?",
        "Where is order 7?",
        "Where do I pitch it?",
        "Again?",
    ]
    assert [bool(body.get("stream")) for body in server.requests] == [False, False, True, True]


def try_serve_yaml() -> None:
    """Ray takes it and knows each key; its deployments are those of serve_app.py."""
    text = (PROGRAMS / "serve.yaml").read_text("utf-8")
    assert serve_config.problems(text) == []
    (application,) = yaml.safe_load(text)["applications"]
    deployed = [one["name"] for one in application["deployments"]]
    code = (PROGRAMS / "serve_app.py").read_text("utf-8")
    classes = re.findall(r"^@serve\.deployment(?:.|\n)*?^class (\w+)", code, re.MULTILINE)
    assert sorted(deployed) == sorted(classes)
    assert application["import_path"] == "ray_main:app"


def try_rayservice() -> None:
    """KubeRay's schema takes it, for the Ray version that the course was tested with."""
    text = (PROGRAMS / "k8s/rayservice.yaml").read_text("utf-8")
    assert rayservice.problems(text) == []
    spec = yaml.safe_load(text)["spec"]
    assert spec["rayClusterConfig"]["rayVersion"] == importlib.metadata.version("ray")
    inner, outer = (
        yaml.safe_load(each)["applications"][0]
        for each in (spec["serveConfigV2"], (PROGRAMS / "serve.yaml").read_text("utf-8"))
    )
    assert inner["import_path"] == outer["import_path"]


TRIED: dict[str, Callable[[], None]] = {
    "Dockerfile": try_dockerfile,
    "agent.py": try_agent,
    "ask.py": try_ask,
    "dashboard.py": try_dashboard,
    "evals.py": try_evals,
    "k8s/base/budget.yaml": partial(try_base_file, "k8s/base/budget.yaml"),
    "k8s/base/deployment.yaml": partial(try_base_file, "k8s/base/deployment.yaml"),
    "k8s/base/kustomization.yaml": try_base,
    "k8s/base/network.yaml": partial(try_base_file, "k8s/base/network.yaml"),
    "k8s/base/service.yaml": partial(try_base_file, "k8s/base/service.yaml"),
    "k8s/overlays/dev/kustomization.yaml": try_dev,
    "k8s/overlays/prod/hpa.yaml": try_hpa,
    "k8s/overlays/prod/ingress.yaml": try_ingress,
    "k8s/overlays/prod/kustomization.yaml": try_prod,
    "k8s/rayservice.yaml": try_rayservice,
    "mcp_server.py": try_mcp_server,
    "metrics.py": try_metrics,
    "rules.yml": try_rules,
    "rules_test.yml": try_rules_test,
    "serve.yaml": try_serve_yaml,
    "serve_app.py": try_serve_app,
    "service.py": try_service,
    "tiers.py": try_tiers,
    "tracing.py": try_tracing,
    "guards.py": try_guards,
    "policy.py": try_policy,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_program_does_its_work_without_the_course(name: str) -> None:
    if name not in TRIED:
        pytest.fail(
            f"Nothing tries {name}. Write a function in {Path(__file__).name} that runs it and "
            "says what must come, and enter it in TRIED."
        )
    TRIED[name]()


def test_every_entry_has_its_program() -> None:
    assert TRIED.keys() <= set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".py")])
def test_the_program_imports_nothing_of_the_course(name: str) -> None:
    modules = set(imported((PROGRAMS / name).read_text("utf-8")))
    assert modules
    assert "helpers" not in modules


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learner") / "shop-agent"
    new_project(folder)
    return folder


def main(project: Path, **env: str) -> tuple[int, str, str]:
    code = "import runpy; runpy.run_path('main.py', run_name='__main__')"
    done = run_alone(code, "How heavy is it?", path=project, cwd=project, env=env)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_the_projects_command_streams_an_answer_and_counts_its_tokens(project: Path) -> None:
    with openai_server(replies=["It weighs 2.1 kg."]) as server:
        found = main(project, MODEL="openai:any", OPENAI_BASE_URL=server.url, OPENAI_API_KEY="none")
    (body,) = server.requests
    assert found == (0, "It weighs 2.1 kg.\nany: 4 tokens read, 4 written\n", "")
    assert body["stream"]
    assert body["messages"] == [{"content": "How heavy is it?", "role": "user"}]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "status", "says"),
    [
        ({}, 2, "Set MODEL"),
        ({"MODEL": "openai:any"}, 1, "OPENAI_API_KEY"),
        ({"MODEL": "nvidia:any"}, 1, "pip install langchain-nvidia"),
        ({"MODEL": "any"}, 1, "any gave no answer. ValueError: "),
        ({"MODEL": "openai:any", "OPENAI_API_KEY": "none"}, 1, "the key is wrong"),
    ],
)
def test_the_projects_command_says_what_is_missing(
    project: Path, env: dict[str, str], status: int, says: str
) -> None:
    with openai_server(replies=[Fails(401, "the key is wrong")]) as server:
        found = main(project, OPENAI_BASE_URL=server.url, **env)
    assert found[:2] == (status, "")
    assert says in found[2]
    assert "Traceback" not in found[2]
