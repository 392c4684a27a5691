"""Links between notebooks lead to a file, and to a heading that is there."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from nbformat.v4 import new_markdown_cell, new_notebook

from helpers import cli
from helpers.authoring.editions import FOLDERS, generate, notebook_path, stems
from helpers.authoring.source import Edition
from helpers.paths import ROOT

SOURCES: list[tuple[Edition, str]] = [
    (edition, stem)
    for edition, (folder, _) in FOLDERS.items()
    for stem in stems(ROOT / folder, "*.py")
]
BUILT = {notebook_path(ROOT, edition, stem): (edition, stem) for edition, stem in SOURCES}


def tokens(notebook: Mapping[str, Any]) -> Iterator[Token]:
    """The blocks of all text cells; each cell has its own link definitions, as in JupyterLab."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            yield from MarkdownIt("commonmark").enable("table").parse(cell["source"])


def targets(notebook: Mapping[str, Any]) -> list[str]:
    """Where a notebook's links lead; of `[text][name]` without a definition, the part `][name]`."""
    inline = [child for token in tokens(notebook) for child in token.children or ()]
    links = [str(child.attrs["href"]) for child in inline if child.type == "link_open"]
    texts = [child.content for child in inline if child.type == "text"]
    return links + [part for text in texts for part in re.findall(r"\]\[[^\]]*\]", text)]


def anchors(notebook: Mapping[str, Any]) -> set[str]:
    """The anchors of a notebook's headings, as JupyterLab and GitHub make them."""
    blocks = list(tokens(notebook))
    return {
        "".join(child.content for child in block.children or ()).replace(" ", "-")
        for before, block in pairwise(blocks)
        if before.type == "heading_open"
    }


def wrong(notebook: Mapping[str, Any], path: Path) -> list[str]:
    """The links of a notebook at `path` that lead nowhere."""
    return [target for target in targets(notebook) if not _leads(notebook, path, target)]


def _leads(notebook: Mapping[str, Any], path: Path, target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme:
        return True
    there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not parts.fragment:
        return there in BUILT or there.exists()
    if there != path:
        if there not in BUILT:
            return False
        notebook = generate(ROOT, *BUILT[there])
    return unquote(parts.fragment) in anchors(notebook)


@pytest.mark.parametrize(("edition", "stem"), SOURCES)
def test_every_link_leads_somewhere(edition: Edition, stem: str) -> None:
    path = notebook_path(ROOT, edition, stem)
    found = wrong(generate(ROOT, edition, stem), path)
    assert not found, "no such file, heading or definition"


@pytest.mark.parametrize(("edition", "stem"), SOURCES)
def test_every_command_that_a_notebook_names_is_there(edition: Edition, stem: str) -> None:
    code = [
        child.content
        for token in tokens(generate(ROOT, edition, stem))
        for child in token.children or ()
        if child.type == "code_inline"
    ]
    named = {found[1] for text in code if (found := re.match(r"course ([a-z][a-z-]*)", text))}
    assert named <= set(cli.COMMANDS)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("[it](#What-is-it?)", 0),
        ("[it](#what-is-it)", 1),
        ("[it][a]\n\n[a]: #What-is-it?", 0),
        ("[it][a]\n\n[b]: #What-is-it?", 1),
        ("| a |\n|---|\n| [it](#Nothing) |", 1),
        ("[the start](00_start_here.ipynb#Is-this-machine-ready?)", 0),
        ("[the start](00_start_here.ipynb#Is-it-ready?)", 1),
        ("[the start](../labs/00_start_here.ipynb)", 0),
        ("[the start](00_begin_here.ipynb)", 1),
        ("[the code](../helpers/models/chat.py)", 0),
        ("[the code](../helpers/models/chat.py#here)", 1),
        ("[elsewhere](https://example.com/#x)", 0),
        ("`see[a][b]`", 0),
    ],
)
def test_the_search_for_links_itself(text: str, count: int) -> None:
    notebook = new_notebook(cells=[new_markdown_cell(t) for t in ("## What is *it*?", text)])
    assert len(wrong(notebook, ROOT / "notebooks" / "99_x.ipynb")) == count
