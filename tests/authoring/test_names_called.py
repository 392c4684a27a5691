"""The search for the names that a walkthrough should call, on small right and wrong cells."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.authoring.names_called import CALLED, missing

AGENTS = "from langchain.agents import create_agent"
MIDDLEWARE = "from langchain.agents.middleware import "


def found(module: str, name: str, *cells: str) -> bool:
    """Whether these cells use what the table calls so."""
    assert name in {wanted.name for wanted in CALLED[module]}
    return name not in missing(module, new_notebook(cells=[new_code_cell(cell) for cell in cells]))


RULES = "groups:\n- name: a\n  rules:\n  - alert: Slow\n    expr: rate(errors[5m]) > 1\n"
PROBES = "kind: Deployment\nspec:\n  readinessProbe: {}\n  livenessProbe: {}\n"

RIGHT: list[tuple[str, str, tuple[str, ...]]] = [
    ("01", "@tool", ("from langchain.tools import tool", "@tool\ndef f(): ...")),
    ("01", "@tool", ("from langchain_core.tools import tool\n@tool('name')\ndef f(): ...",)),
    ("01", "create_agent", (AGENTS, "agent = create_agent(model)")),
    ("01", "create_agent", ("from langchain import agents\nagents.create_agent(model)",)),
    ("01", "create_agent", (f"%%writefile agent.py\n{AGENTS}\nagent = create_agent(model)",)),
    ("01", "InMemorySaver", (
        f"{AGENTS}\nfrom langgraph.checkpoint.memory import InMemorySaver\n"
        "create_agent(model, checkpointer=InMemorySaver())",)),
    ("01", "InMemoryVectorStore", (
        "from langchain_core.vectorstores import InMemoryVectorStore\n"
        "store = await InMemoryVectorStore.afrom_texts([])",)),
    ("01", ".stream(", ("for part in agent.stream({}):\n    print(part)",)),
    ("02", "evaluate of langsmith", ("import langsmith\nlangsmith.evaluate(f, data=d)",)),
    ("02", "evaluate of langsmith", ("client.evaluate(f, data=d)",)),
    ("02", "a trajectory evaluator of agentevals", (
        "from agentevals.trajectory.match import create_trajectory_match_evaluator as make\n"
        "judge = make()",)),
    ("02", "McNemar of statsmodels (or scipy)", (
        "from statsmodels.stats.contingency_tables import mcnemar\nmcnemar(table)",)),
    ("02", "McNemar of statsmodels (or scipy)", (
        "from scipy import stats\nstats.binomtest(3, 9)",)),
    ("02", "Holm of statsmodels", (
        "from statsmodels.stats.multitest import multipletests\nmultipletests(p, method='holm')",)),
    ("02", "Holm of statsmodels", (
        "from statsmodels.stats.multitest import multipletests\nmultipletests(p, 0.05, 'holm')",)),
    ("03", "@before_model", (MIDDLEWARE + "before_model\n@before_model\ndef f(s, r): ...",)),
    ("03", "TfidfVectorizer in a pipeline", (
        "from sklearn.feature_extraction.text import TfidfVectorizer\n"
        "from sklearn.pipeline import make_pipeline\n"
        "make_pipeline(TfidfVectorizer(), model)",)),
    ("04", "Command(resume=", (
        "from langgraph.types import Command\nagent.invoke(Command(resume={'decisions': d}))",)),
    ("04", ".set_authorizer(", ("connection.set_authorizer(guard)",)),
    ("04", "nh3.clean", ("import nh3\nnh3.clean(html)",)),
    ("05", "Depends", (
        "from typing import Annotated\nfrom fastapi import Depends\n"
        "def f(user: Annotated[str, Depends(who)]): ...",)),
    ("05", "EventSourceResponse", (
        "from fastapi.sse import EventSourceResponse\n"
        "@app.post('/', response_class=EventSourceResponse)\nasync def f(): ...",)),
    ("05", 'astream(stream_mode="messages")', (
        "async for part in agent.astream(x, stream_mode='messages'):\n    print(part)",)),
    ("05", 'astream(stream_mode="messages")', (
        "parts = agent.astream(x, stream_mode=['updates', 'messages'])",)),
    ("05", "lifespan", ("from fastapi import FastAPI\napp = FastAPI(lifespan=life)",)),
    ("05", "st.chat_input", ("%%writefile chat.py\nimport streamlit as st\nst.chat_input('Ask')",)),
    ("05", "st.chat_input", ("page = 'import streamlit as st\\nst.chat_input(1)'",)),
    ("06", "@serve.deployment", ("from ray import serve\n@serve.deployment\nclass A: ...",)),
    ("06", "@ray.remote", ("import ray\nf = ray.remote(g)",)),
    ("06", "Cluster", ("from ray.cluster_utils import Cluster\ncluster = Cluster()",)),
    ("07", "Deployment", ("%%writefile app.yaml\nkind: Deployment\n",)),
    ("07", "Service", ("text = 'kind: Deployment\\n---\\nkind: Service\\n'",)),
    ("07", "probes", (f"%%writefile app.yaml\n{PROBES}",)),
    ("07", "kubectl kustomize", ("!kubectl kustomize overlays/dev",)),
    ("07", "kubectl kustomize", ("subprocess.run(['kubectl', 'kustomize', path])",)),
    ("07", "kubectl kustomize", ("%%bash\ncd app\nkubectl kustomize .",)),
    ("08", "rate(", (f"%%writefile rules.yml\n{RULES}",)),
    ("08", "rate(", ("ask('sum(rate(requests_total[5m]))')",)),
    ("08", "a rule file", (f"%%writefile rules.yml\n{RULES}",)),
    ("08", "promtool", ("out = !promtool check rules rules.yml",)),
    ("09", "anonymizer", ("from langsmith import Client\nclient = Client(anonymizer=hide)",)),
    ("09", "client.evaluate", ("client.evaluate(f, data='set')",)),
    ("10", ".groupby(", ("table.groupby('tier').mean()",)),
    ("11", "langgraph_sdk or langgraph.json", (
        "from langgraph_sdk import get_client\nclient = get_client()",)),
    ("11", "langgraph_sdk or langgraph.json", ("%%writefile app/langgraph.json\n{}",)),
]  # fmt: skip

WRONG: list[tuple[str, str, tuple[str, ...]]] = [
    ("01", "create_agent", (AGENTS,)),
    ("01", "create_agent", (AGENTS, "# create_agent(model)")),
    ("01", "create_agent", (AGENTS, "'create_agent(model)'")),
    ("01", "create_agent", ("from helpers.agent import create_agent\ncreate_agent()",)),
    ("01", "create_agent", ("def create_agent(): ...\ncreate_agent()",)),
    ("01", "create_agent", (AGENTS, "def create_agent(): ...", "create_agent()")),
    ("01", "create_agent", (AGENTS, "create_agent")),
    ("01", "@tool", ("from langchain.tools import tool\nx = tool(f)",)),
    ("01", ".stream(", ("import helpers.agent as house\nhouse.stream()",)),
    ("01", ".stream(", ("print(agent.stream)",)),
    ("02", "evaluate of langsmith", ("from helpers.evaluate import evaluate\nevaluate(f)",)),
    ("02", "McNemar of statsmodels (or scipy)", (
        "from helpers.evaluate.compare import mcnemar\nmcnemar(a)",)),
    ("02", "Holm of statsmodels", (
        "from statsmodels.stats.multitest import multipletests\nmultipletests(p)",)),
    ("03", "TfidfVectorizer in a pipeline", (
        "from sklearn.feature_extraction.text import TfidfVectorizer\nTfidfVectorizer()",)),
    ("04", "Command(resume=", ("from langgraph.types import Command\nCommand(goto='a')",)),
    ("05", 'astream(stream_mode="messages")', ("agent.astream(x, stream_mode='updates')",)),
    ("05", 'astream(stream_mode="messages")', ("agent.astream(x)  # stream_mode='messages'",)),
    ("05", "lifespan", ("from fastapi import FastAPI\nlifespan = 1\napp = FastAPI()",)),
    ("06", "@ray.remote", ("f.remote(1)",)),
    ("07", "Deployment", ("# kind: Deployment",)),
    ("07", "Deployment", ("print('A kind: Deployment is written so')",)),
    ("07", "Deployment", ("def f():\n    '''\n    kind: Deployment\n    '''",)),
    ("07", "probes", ("%%writefile app.yaml\nkind: Deployment\nreadinessProbe: {}\n",)),
    ("07", "kubectl kustomize", ("# !kubectl kustomize .",)),
    ("07", "kubectl kustomize", ("print('Run kubectl kustomize')",)),
    ("08", "rate(", ("rate(1)",)),
    ("08", "rate(", ("ask('calibrate(1)')",)),
    ("08", "a rule file", ("%%writefile rules.yml\ngroups: []\n",)),
    ("09", "anonymizer", ("from langsmith import Client\nanonymizer = 1\nclient = Client()",)),
    ("11", "langgraph_sdk or langgraph.json", ("print('langgraph.json')",)),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name", "cells"), RIGHT)
def test_a_use_is_found(module: str, name: str, cells: tuple[str, ...]) -> None:
    assert found(module, name, *cells)


@pytest.mark.parametrize(("module", "name", "cells"), WRONG)
def test_what_is_no_use_is_not(module: str, name: str, cells: tuple[str, ...]) -> None:
    assert not found(module, name, *cells)


@pytest.mark.parametrize("module", CALLED)
def test_a_notebook_that_only_speaks_of_them_calls_none(module: str) -> None:
    wanted = [each.name for each in CALLED[module]]
    text = new_markdown_cell("\n".join(wanted))
    comments = new_code_cell("\n".join(f"# {name}" for name in wanted))
    assert missing(module, new_notebook(cells=[text, comments])) == wanted


def test_every_module_from_01_to_11_has_its_list() -> None:
    assert list(CALLED) == [f"{number:02}" for number in range(1, 12)]
    assert all(wanted.ways for table in CALLED.values() for wanted in table)
