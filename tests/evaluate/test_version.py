"""What a version is made of, and what changes it."""

import ast
import dataclasses
import importlib.metadata
import re
import shutil
import sys
from pathlib import Path

import pytest
from langchain_core.tools import BaseTool, tool
from packaging.utils import canonicalize_name

from helpers.evaluate.version import PACKAGES, PARTS, Version, current_version
from helpers.paths import ROOT
from helpers.shop import documents


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that a version is read from."""
    root = tmp_path_factory.mktemp("checkout")
    for room in ("agent", "models", "security", "service", "shop"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "helpers" / room, root / "helpers" / room, ignore=ignore)
    shutil.copy(ROOT / "requirements.lock", root)
    return root


@tool(extras={"examples": ["Where is my parcel?"]})
def look_up(order_id: str) -> str:
    """Look up an order."""
    return order_id


@tool(extras={"examples": ["Where is my order?"]})
def look_up_otherwise(order_id: str) -> str:
    """Look up an order."""
    return order_id


def test_the_same_files_give_the_same_version(checkout: Path) -> None:
    here = current_version()
    assert tuple(here.parts) == PARTS
    assert here == current_version() == current_version(root=checkout)
    assert len(here.digest) == 16
    assert here.changed(current_version()) == ()


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("helpers/agent/prompt.py", "prompt"),
        ("helpers/agent/tools.py", "tools"),
        ("helpers/shop/documents/returns.md", "documents"),
        ("helpers/models/weights.py", "model"),
        ("helpers/agent/retrieval.py", "code"),
        ("helpers/agent/expected_questions.json", "code"),
        ("helpers/shop/refund_rules.py", "code"),
        ("helpers/security/agents.py", "controls"),
        ("helpers/security/attacks/material/direct.yaml", "controls"),
        ("helpers/service/limits.py", "service"),
    ],
)
def test_a_changed_file_changes_its_part_alone(checkout: Path, file: str, part: str) -> None:
    before = current_version(root=checkout)
    path = checkout / file
    text = path.read_bytes()
    try:
        path.write_bytes(text + b"\n# changed\n")
        after = current_version(root=checkout)
    finally:
        path.write_bytes(text)
    assert after.changed(before) == (part,)
    assert after.digest != before.digest


def test_a_package_of_the_agent_counts_and_any_other_does_not(checkout: Path) -> None:
    lock = checkout / "requirements.lock"
    before, text = current_version(root=checkout), lock.read_text("utf-8")
    try:
        lock.write_text(text + "zzz==1.0 \\\n    --hash=sha256:00\n", encoding="utf-8")
        assert current_version(root=checkout) == before
        lock.write_text(re.sub(r"\nnumpy==\S+", r"\nnumpy==9.9.9", text), encoding="utf-8")
        assert current_version(root=checkout).changed(before) == ("packages",)
        lock.write_text(re.sub(r"\nnumpy==\S+.*", "", text), encoding="utf-8")
        with pytest.raises(LookupError, match="no entry for numpy"):
            current_version(root=checkout)
    finally:
        lock.write_text(text, encoding="utf-8")


def test_the_packages_are_all_that_the_agent_imports() -> None:
    rooms = [ROOT / "helpers" / room for room in ("agent", "models", "shop")]
    found = {
        name.split(".")[0]
        for room in rooms
        for path in room.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    outside = found - sys.stdlib_module_names - {"helpers"}
    assert len(outside) > 10
    known = importlib.metadata.packages_distributions()
    needed = {canonicalize_name(dist) for name in outside for dist in known[name]}
    # Namespace packages such as `langgraph` are shared by several distributions: one is enough.
    assert all(
        {canonicalize_name(dist) for dist in known[name]} & set(PACKAGES) for name in outside
    ), needed - set(PACKAGES)


def test_a_new_document_and_a_new_module_count(checkout: Path) -> None:
    before = current_version(root=checkout)
    added = [checkout / "helpers/shop/documents/zz.md", checkout / "helpers/agent/zz.py"]
    try:
        for path in added:
            path.write_text("new", encoding="utf-8")
        assert set(current_version(root=checkout).changed(before)) == {"documents", "code"}
    finally:
        for path in added:
            path.unlink()


def test_line_ends_do_not_count(checkout: Path) -> None:
    before = current_version(root=checkout)
    path = checkout / "helpers/agent/prompt.py"
    text = path.read_bytes()
    try:
        path.write_bytes(text.replace(b"\n", b"\r\n"))
        assert current_version(root=checkout) == before
    finally:
        path.write_bytes(text)


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("COURSE_MODEL", "openai:gpt-x", "model"),
        ("COURSE_EMBEDDINGS", "openai:embed-x", "model"),
        ("COURSE_CONTEXT", "1024", "settings"),
        ("COURSE_PROMPT_CACHE", "1", "settings"),
    ],
)
def test_the_environment_counts(
    name: str, value: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name, raising=False)
    before = current_version()
    monkeypatch.setenv(name, value)
    assert current_version().changed(before) == (part,)


def test_what_does_not_change_answers_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_MODEL", raising=False)
    before = current_version()
    monkeypatch.setenv("COURSE_MODEL", "local")
    monkeypatch.setenv("COURSE_THREADS", "7")
    assert current_version() == before


def test_a_changed_agent_differs_in_what_was_replaced() -> None:
    here = current_version()
    tools: list[BaseTool] = [look_up]
    others: list[BaseTool] = [look_up_otherwise]
    assert current_version(prompt="Refuse everything.").changed(here) == ("prompt",)
    assert current_version(tools=tools).changed(here) == ("tools",)
    assert current_version(tools=tools).changed(current_version(tools=others)) == ("tools",)
    assert current_version(model="openai:gpt-x").changed(here) == ("model",)
    assert current_version(settings={"threshold": "0.2"}).changed(here) == ("settings",)
    mine = documents()
    first = dataclasses.replace(mine[0], text=mine[0].text + " And more.")
    before = current_version(documents=mine)
    assert current_version(documents=[*mine[::-1]]) == before
    assert current_version(documents=[first, *mine[1:]]).changed(before) == ("documents",)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        current_version(root=tmp_path)


def test_a_part_that_one_version_lacks_counts_as_changed() -> None:
    assert Version({"a": "1", "b": "2"}).changed(Version({"a": "1"})) == ("b",)
