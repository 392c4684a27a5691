"""What `measure` counts, on cells small enough to count by hand."""

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.authoring.cells import read_code
from helpers.authoring.limits import REBUILT, SHORT, SITTINGS, WHOLE, Limit, breaks, limits_of
from helpers.authoring.style import density, measure, origins, words


def notebook(*cells: str) -> NotebookNode:
    return new_notebook(cells=[new_code_cell(cell) for cell in cells])  # type: ignore[no-any-return]


def shares(*cells: str) -> tuple[float, float]:
    """Of these cells: field, and house only."""
    return origins([read_code(cell) for cell in cells])[:2]


def house_names(*cells: str) -> int:
    return origins([read_code(cell) for cell in cells])[2]


def test_pieces_of_a_notebook() -> None:
    code = [new_code_cell("\n\n".join("x" * n)) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 30)]
    text = [new_markdown_cell("Five words are in here."), new_markdown_cell("# Title")]
    style = measure(new_notebook(cells=code + text))
    assert (style.cells, style.code_cells, style.text_cells) == (12, 10, 2)
    assert (style.lines_median, style.lines_p90, style.lines_max) == (5.5, 9, 30)
    assert style.words_per_code_cell == 0.6
    assert style.words_per_text_cell == 3
    assert style.text_to_code == 0.2


def test_a_notebook_without_code() -> None:
    style = measure(new_notebook(cells=[new_markdown_cell("text")]))
    assert (style.code_cells, style.lines_median, style.lines_p90, style.lines_max) == (0, 0, 0, 0)
    assert (style.field, style.house_only, style.nodes_per_line) == (0, 0, 0)


def test_the_parameters_do_not_count() -> None:
    given = new_code_cell(
        "import openai\nmodel = openai.x\n" * 20, metadata={"tags": ["parameters"]}
    )
    style = measure(new_notebook(cells=[given, new_code_cell("x = 1")]))
    assert (style.cells, style.lines_max, style.field) == (1, 1, 0)


def test_only_what_is_read_counts_as_words() -> None:
    assert words("It doesn't take 1.5 s.") == 5
    assert words("See [the lab](../labs/01_build_an_agent.ipynb).") == 3
    assert words("Before.\n\n```mermaid\ngraph LR\n  a --> b\n```\n\nAfter.") == 2
    assert words("<details><summary>Why?</summary>Because.</details>") == 2
    assert words("| a | b |\n|---|---|\n| 1 | 2 |") == 4


@pytest.mark.parametrize(
    ("cell", "field", "house"),
    [
        ("import ray\nray.init()", 1, 0),
        ("from langchain.agents import create_agent\nagent = create_agent()", 1, 0),
        ("from helpers.course import show\nshow.table([])", 0, 1),
        ("import ray\nfrom helpers.course import show\nshow.table(ray.nodes())", 1, 0),
        ("import json\njson.dumps({})", 0, 0),
        ("import pandas as pd\npd.DataFrame()", 0, 0),
        ("import numpy as np\nfrom helpers.shop import day\nnp.mean(day())", 0, 1),
        ("%%writefile k8s/app.yaml\nkind: Deployment", 1, 0),
        ("%%bash\nkubectl kustomize .", 1, 0),
        ("!kubectl get pods", 1, 0),
        ("!course status", 0, 1),
        ("!python3 -m helpers doctor", 0, 1),
        ("%%time\nimport ray\nray.init()", 1, 0),
        ("%%time\nsum([1])", 0, 0),
        ("%%writefile app.py\nfrom fastapi import FastAPI\napp = FastAPI()", 1, 0),
        ("%%writefile app.py\nfrom helpers.shop import day\nprint(day())", 0, 1),
        ("import httpx\nreply = await httpx.AsyncClient().get('/')", 1, 0),
        ("import ray\n@ray.remote\ndef f(): pass", 1, 0),
        ("%matplotlib inline\nx = 1", 0, 0),
        ("# import ray; ray.init()\nx = 1", 0, 0),
    ],
)
def test_what_makes_a_cell_one_of_the_field_or_of_the_house(
    cell: str, field: int, house: int
) -> None:
    assert shares(cell) == (field, house)


def test_what_is_made_with_the_field_is_of_the_field_until_it_is_made_again() -> None:
    begin = "import ray", "nodes = ray.nodes()", "count = len(nodes)"
    assert shares(*begin) == (1, 0)
    assert shares(*begin, "print(count)") == (1, 0)
    assert shares(*begin, "nodes = [1]", "print(nodes)") == (0.5, 0)
    assert shares(*begin, "[nodes for nodes in 'ab']", "x = 1") == (0.75, 0)


def test_a_module_that_a_cell_wrote_is_as_the_cell_is() -> None:
    use = "from app import run", "run()"
    assert shares("%%writefile app.py\nimport ray\nrun = ray.init", *use) == (1, 0)
    assert shares("%%writefile app.py\nrun = print", *use) == (0, 0)


def test_a_cell_that_only_imports_uses_nothing() -> None:
    assert shares("import ray", "from helpers.shop import day", "x = 1") == (0, 0)


def test_names_of_the_house_are_counted_through_its_modules_and_without_the_desk() -> None:
    assert house_names("from helpers.shop import day, questions") == 2
    assert house_names("from helpers.shop import day", "from helpers.shop import day") == 1
    assert house_names("from helpers.course import check, show", "show.table([])") == 0
    assert house_names("import helpers.agent as house\nhouse.build_agent(house.Caller('a'))") == 2
    assert house_names("from helpers import security", "security.controls.LimitInput()") == 1


def test_density_is_of_the_python_alone() -> None:
    plain = read_code("x = 1  # one\n# a comment\n\n")
    nodes, comprehensions = density([plain])
    assert (nodes, comprehensions) == (5, 0)  # Module, Assign, Name, Store, Constant
    yaml = read_code("%%writefile a.yaml\n" + "a: 1\n" * 50)
    assert density([plain, yaml, read_code("import ray")]) == (5, 0)
    timed = read_code("%%time\nx = 1")
    assert density([timed]) == (5, 0)
    nested = read_code("[b for a in x for b in {c: d for c, d in a}]")
    assert density([plain, nested])[1] == 1


def test_a_limit_names_the_side_on_which_it_is_broken() -> None:
    limit = Limit("cells", lambda style: style.cells, 2, 3)
    sizes = {number: limit.broken(measure(notebook(*["x = 1"] * number))) for number in range(1, 5)}
    assert sizes == {1: "low", 2: "", 3: "", 4: "high"}
    assert limit.allowed == "2-3"
    assert breaks(measure(notebook("x = 1")), (limit,)) == ["cells is 1 (2-3)"]


def test_the_limits_are_those_of_the_style_page() -> None:
    assert {limit.name: limit.allowed for limit in REBUILT} == {
        "cells": "30-70",
        "text/code": "0.75-1.50",
        "median lines": "<=6",
        "p90 lines": "<=18",
        "most lines": "<=25",
        "nodes/line": "<=8.5",
        "comprehensions": "<=0.30",
        "words/text": "<=55",
        "field": ">=60%",
        "house only": "<=30%",
        "house names": "<=15",
    }
    modules = [limits_of(f"{module:02}") for module in range(13)]
    assert modules == [SHORT, *[WHOLE] * 10, SITTINGS, SHORT]
    assert [limit.allowed for limit in SITTINGS] == ["30-190", *(one.allowed for one in WHOLE[1:])]
    wider = {limit.name: limit.allowed for limit in WHOLE}
    assert wider.keys() == {limit.name for limit in REBUILT}
    page = {limit.name: limit.allowed for limit in REBUILT}
    assert {name: allowed for name, allowed in wider.items() if allowed != page[name]} == {
        "cells": "30-130",
        "median lines": "<=10",
        "nodes/line": "<=9.5",
    }
