"""The file that LangGraph's command reads, as module 11 writes it, leads to a graph that runs."""

import importlib.util
import json
from pathlib import Path

import pytest
from langgraph.graph.state import CompiledStateGraph

from helpers.authoring.source import read_source
from helpers.paths import ROOT
from helpers.testbed.openai_server import openai_server

SOURCE = ROOT / "notebooks/src/11_operate_and_improve.py"


def written(name: str, folder: Path) -> Path:
    """Write the file of a cell that begins with `%%writefile`; its path."""
    cells = read_source(SOURCE.read_text("utf-8"), where=SOURCE.name, solution=False)
    (cell,) = (cell for cell in cells if cell.id == name)
    magic, _, text = cell.source.partition("\n")
    path = folder / magic.removeprefix("%%writefile ").strip()
    path.write_text(text + "\n", "utf-8")
    return path


def test_the_file_names_a_graph_that_answers_through_its_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written("choose-graph", tmp_path)
    settings = json.loads(written("server-file", tmp_path).read_text("utf-8"))
    file, variable = settings["graphs"]["support"].split(":")
    with openai_server([{"name": "track", "args": {"order": "12"}}, "It comes."]) as upstream:
        monkeypatch.setenv("MODEL_URL", upstream.url)
        spec = importlib.util.spec_from_file_location("named_by_the_file", tmp_path / file)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        graph = getattr(module, variable)
        assert isinstance(graph, CompiledStateGraph)
        said = graph.invoke({"messages": "Where is order 12?"})["messages"]
    assert [message.text for message in said[-2:]] == ["Order 12 is on its way.", "It comes."]


def test_its_dependencies_are_the_folder_that_holds_it(tmp_path: Path) -> None:
    settings = json.loads(written("server-file", tmp_path).read_text("utf-8"))
    assert settings["dependencies"] == ["."]
    assert set(settings) <= {"dependencies", "graphs", "python_version"}
