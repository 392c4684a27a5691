"""Programs from marked cells: what they hold, in which order, and what is refused."""

import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import helpers.authoring
from helpers.authoring.build import build
from helpers.authoring.command import COMMANDS
from helpers.authoring.definitions import (
    Definition,
    DefinitionError,
    definitions,
    in_order,
    last_of_each,
)
from helpers.authoring.drift import drift
from helpers.authoring.programs import FOLDER, program_drift, programs, renew
from helpers.authoring.source import SourceError
from helpers.course.home import RUFF
from helpers.paths import ROOT
from tests.authoring import mini

FUNCTION = '''
    # %% name="half" app="maths.py"
    def half(number: float) -> float:
        """Half of it."""
        return number / 2
'''


def write(root: Path, sources: Mapping[str, str]) -> Path:
    for stem, text in sources.items():
        path = root / f"notebooks/src/{stem}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
    return root


def made(root: Path, *sources: str) -> dict[str, str]:
    """The programs of walkthroughs 01, 02, ... without their first lines."""
    numbered = {f"0{number}_topic": text for number, text in enumerate(sources, start=1)}
    found = programs(write(root, numbered))
    return {name: one.text.partition("\n")[2].lstrip("\n") for name, one in found.items()}


def cells(*bodies: str, app: str = "maths.py") -> str:
    """A source of marked cells, one a body."""
    parts = [
        f'# %% name="cell-{number}" app="{app}"\n{textwrap.dedent(body).strip()}\n'
        for number, body in enumerate(bodies, start=1)
    ]
    return "\n".join(parts)


def values(code: str, *names: str) -> list[object]:
    space: dict[str, object] = {}
    exec(code, space)
    return [space[name] for name in names]


def test_the_example_of_the_documentation_makes_a_program(tmp_path: Path) -> None:
    text = (helpers.authoring.__doc__ or "").split("Programs\n--------\n")[1]
    example = re.search(r"(?m)^    # %% name=\"search\".*?(?=^\S)", text, flags=re.DOTALL)
    assert example
    (program,) = programs(write(tmp_path, {"01_topic": example[0]})).values()
    assert program.name == "agent.py"
    assert program.text.startswith("# Written by `course build` from notebooks/src/01_topic.py")
    assert "def search(store: VectorStore, question: str)" in program.text
    assert "from langchain_core.vectorstores import VectorStore\n" in program.text


def test_imports_are_gathered_sorted_and_only_those_that_are_used(tmp_path: Path) -> None:
    source = '''
        # %% name="first"
        import numpy as np
        import os, re
        from pathlib import Path
        from helpers.course import show

        # %matplotlib inline
        show.table([])

        # %% name="a" app="maths.py"
        import statistics  # for a later cell
        from math import inf, pi

        # Of a circle.
        AREA = pi * 2  # noqa: N816


        def files(folder: "Path") -> list[str]:
            """Their names."""
            import json

            return [re.sub("x", "", json.dumps(path.name)) for path in folder.iterdir()]

        # %% name="b" app="maths.py"
        # A vector.
        def vector() -> "np.ndarray":
            """Of one number."""
            return np.zeros(int(statistics.mean([1])))
    '''
    text = made(tmp_path, source)["maths.py"]
    assert text.startswith(
        "import re\nimport statistics\nfrom math import pi\nfrom pathlib import Path\n\n"
        "import numpy as np\n\n# Of a circle.\nAREA = pi * 2\n\n\ndef files("
    )
    assert "# A vector.\ndef vector()" in text
    assert "# %%" not in text


def test_several_modules_of_one_package(tmp_path: Path) -> None:
    body = '''
        import os.path
        import xml.dom
        import xml.sax


        def both() -> str:
            """Their names."""
            return xml.dom.__name__ + xml.sax.__name__
    '''
    assert made(tmp_path, cells(body))["maths.py"].startswith("import xml.dom\nimport xml.sax\n")


def test_the_last_definition_counts_where_it_stands(tmp_path: Path) -> None:
    text = made(
        tmp_path,
        cells(
            'def one() -> int:\n    """The number."""\n    return 0',
            'def two() -> int:\n    """The number."""\n    return one() + one()',
            'def one() -> int:\n    """The number."""\n    return 1',
        ),
    )["maths.py"]
    assert text.count("def one") == 1
    assert text.index("def two") < text.index("def one")
    (two,) = values(text, "two")
    assert callable(two)
    assert two() == 2


@pytest.mark.parametrize(
    "use",
    [
        "LIST = [one]",
        "CALLED = deep()",
        'def three(start=one) -> None:\n    """Nothing."""',
        '@one\ndef three() -> None:\n    """Nothing."""',
        'class Three(**kind(one)):\n    """Nothing."""',
        'class Three:\n    """Nothing."""\n\n    value = one',
        'def three(x: one) -> None:\n    """Nothing."""',
        "LISTED = [each for each in [1] if one]",
    ],
)
def test_what_is_used_at_once_moves_up(tmp_path: Path, use: str) -> None:
    """In a notebook these cells run in their order; so does the program."""
    first = 'def one(x: object = 0) -> object:\n    """The first."""\n    return x'
    others = (
        'def kind(x: object) -> dict[str, object]:\n    """No keywords."""\n    return {}\n\n\n'
        'def deep() -> object:\n    """One."""\n    return one()'
    )
    later = 'def one(x: object = 1) -> object:\n    """The last."""\n    return x'
    text = made(tmp_path, cells(first, others, use, later))["maths.py"]
    assert "The first" not in text
    assert values(text, "one")


def test_what_one_cell_defines_several_times_stays_together(tmp_path: Path) -> None:
    body = '''
        from functools import singledispatch
        from typing import overload


        @overload
        def twice(x: int) -> int: ...
        @overload
        def twice(x: str) -> str: ...
        def twice(x: int | str) -> int | str:
            """It, and it again."""
            return x * 2


        @singledispatch
        def area(shape: object) -> float:
            """Of a shape."""
            return 0


        @area.register
        def _(shape: int) -> float:
            return shape**2


        @area.register
        def _(shape: str) -> float:
            return len(shape)
    '''
    text = made(tmp_path, cells(body, "X = 1\nX = X + 1"))["maths.py"]
    twice, area, x = values(text, "twice", "area", "X")
    assert callable(twice)
    assert callable(area)
    assert (twice("a"), area(3), area("ab"), area(1.5), x) == ("aa", 9, 2, 0, 2)


NAMES = st.sampled_from("abcde")
CELL = st.tuples(NAMES, st.booleans(), st.lists(NAMES, max_size=3))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(CELL, min_size=1, max_size=9))
def test_any_order_of_cells_that_runs_gives_a_program_that_runs(
    drawn: list[tuple[str, bool, list[str]]],
) -> None:
    bound: set[str] = set()
    found = []
    for number, (name, is_function, uses) in enumerate(drawn):
        names = uses if is_function else [use for use in uses if use in bound]
        used = ", ".join([*names, str(number)])
        text = f"def {name}():\n    return [{used}]" if is_function else f"{name} = [{used}]"
        found += definitions(text, f"cell-{number}")
        bound.add(name)
    last = last_of_each(found)
    assert sorted(n for one in last for n in one.names) == sorted(bound)
    try:
        ordered = in_order(last)
    except DefinitionError:
        # Only where a value needs itself, through however many others.
        assert any(_needed(one, last) & set(one.names) for one in last)
        return
    assert sorted(map(id, ordered)) == sorted(map(id, last))
    values("\n".join(one.text for one in ordered))


def _needed(definition: Definition, last: list[Definition]) -> set[str]:
    """The names that it needs at once, through the others too."""
    by_name = {name: one for one in last for name in one.names}
    reached: set[str] = set()
    todo = {*definition.now}
    while todo:
        if (name := todo.pop()) not in reached and name in by_name:
            reached.add(name)
            todo |= by_name[name].now
    return reached


UNMARKED = '\n# %% name="before"\n{}\n\n'


@pytest.mark.parametrize(
    ("before", "body", "says"),
    [
        ("from helpers.models import chat_model", "X = chat_model()", "comes from helpers (cell"),
        ("import helpers.shop", "X = helpers.shop", "comes from helpers (cell"),
        ("documents = []", "X = documents[:1]", "unmarked cell 'before' makes"),
        ("fast = True", "X = [fast for _ in range(3)]", "unmarked cell 'before' makes"),
        ("for row in []:\n    pass", "X = row", "unmarked cell 'before' makes"),
        ("with open('x') as file:\n    pass", "X = file", "unmarked cell 'before' makes"),
        ("from tests.shop import x", "X = x", "`tests.shop` is no installed package"),
        ("from .shop import x", "X = x", "`.shop` is no installed package"),
        ("pass", "from helpers.course import show\nX = 1", "it imports `show` from helpers"),
        ("pass", "def f() -> None:\n    from helpers import cli", "a function imports `cli` from"),
        ("pass", "from math import *\nX = pi", "import each name"),
        ("pass", "from . import x\nX = 1", "leave it out"),
        ("pass", "from __future__ import annotations\nX = 1", "leave it out"),
        ("pass", "X = 1\nprint(X)", "line 2 defines nothing"),
        ("pass", '"""A title."""\nX = 1', "line 1 defines nothing"),
        ("pass", "X = [1]\nX[0] = 2", "line 2 defines nothing"),
        ("pass", "X = [1]\nX += [2]", "line 2 defines nothing"),
        ("pass", "if True:\n    X = 1", "line 1 defines nothing"),
        ("pass", "X: int", "line 1 defines nothing"),
        ("pass", "X = 1; Y = 2", "line 1 holds two statements"),
        ("pass", "X = await something()", "is no plain Python"),
        ("pass", "X = !ls", "is no plain Python"),
        ("pass", "# %matplotlib inline\nX = 1", "is no plain Python"),
        ("pass", "X = get_ipython()", "`get_ipython`, which no cell makes"),
        ("pass", "def f() -> int:\n    return nowhere", "`nowhere`, which no cell makes"),
        ("pass", 'def f(x: "Nowhere") -> None:\n    """."""', "`Nowhere`, which no cell makes"),
        ("pass", "def f() -> int:\n    return 1", "D103"),
        ("pass", "def f(x) -> int:\n    '''One.'''\n    y = 1\n    return 1", "F841"),
    ],
)
def test_a_cell_that_makes_no_program_is_refused(
    tmp_path: Path, before: str, body: str, says: str
) -> None:
    with pytest.raises(SourceError, match=re.escape(says)) as error:
        made(tmp_path, UNMARKED.format(before) + cells(body))
    assert str(error.value).startswith("notebooks/src/01_topic.py")
    assert "\n" not in str(error.value)


def test_the_sentence_names_the_cell_and_the_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        made(tmp_path, UNMARKED.format("index = {}") + cells("X = 1", "FOUND = index.get(X)"))
    assert str(error.value) == (
        "notebooks/src/01_topic.py, cell 'cell-2': maths.py uses `index`, which the unmarked cell "
        "'before' makes. Take it as an argument, or mark that cell app=\"maths.py\"."
    )


def test_a_value_that_needs_its_own_earlier_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="`X` needs its own value"):
        made(tmp_path, cells("X = 1", "X = X + 1"))


def test_one_name_from_two_places(tmp_path: Path) -> None:
    bodies = [
        f'from {module} import sqrt\n\n\ndef {module}_root() -> None:\n    """."""\n    sqrt(4)'
        for module in ("math", "cmath")
    ]
    with pytest.raises(SourceError) as error:
        made(tmp_path, cells(*bodies))
    assert "`from math import sqrt` and `from cmath import sqrt`: rename one" in str(error.value)


SECOND = '''
    # %% name="quarter" app="more.py"
    def quarter(number: float) -> float:
        """A quarter of it."""
        return half(half(number))
'''


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("pass", "from maths import half"),
        ("from maths import half", "from maths import half"),
        ("from helpers.shop import half", "from maths import half"),
        ("from helpers.shop import half as half", "from maths import half"),
        ("from helpers.course.home.programs.maths import half", "from maths import half"),
    ],
)
def test_a_name_of_another_walkthroughs_program(tmp_path: Path, how: str, line: str) -> None:
    second = textwrap.dedent(UNMARKED.format(how)) + textwrap.dedent(SECOND)
    found = made(tmp_path, FUNCTION, second)
    assert found["more.py"].startswith(f"{line}\n\n\ndef quarter")
    assert "import" not in found["maths.py"]


def test_another_name_for_it_stays(tmp_path: Path) -> None:
    second = UNMARKED.format("from helpers.shop import half as halve") + textwrap.dedent(SECOND)
    found = made(tmp_path, FUNCTION, second.replace("half(", "halve("))
    assert found["more.py"].startswith("from maths import half as halve\n")


def test_two_programs_of_one_walkthrough(tmp_path: Path) -> None:
    assert made(tmp_path, FUNCTION + SECOND)["more.py"].startswith("from maths import half\n")


@pytest.mark.parametrize("how", ["pass", "from helpers.shop import half"])
def test_a_name_of_several_programs(tmp_path: Path, how: str) -> None:
    second = UNMARKED.format(how) + textwrap.dedent(SECOND)
    other = FUNCTION.replace("maths.py", "sums.py")
    with pytest.raises(SourceError, match=r"import it from one of .*maths, sums"):
        made(tmp_path, FUNCTION, other, second)
    named = UNMARKED.format("from sums import half") + textwrap.dedent(SECOND)
    assert made(tmp_path, FUNCTION, other, named)["more.py"].startswith("from sums import half")


def test_a_later_walkthrough_is_not_there_yet(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="`half`, which no cell makes"):
        made(tmp_path, SECOND, FUNCTION)


def test_a_program_belongs_to_one_walkthrough(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"02_topic.py: maths.py is made by 01_topic already"):
        made(tmp_path, FUNCTION, FUNCTION)


def test_other_files_are_what_their_cells_write(tmp_path: Path) -> None:
    source = """
        # %% name="a" app="k8s/shop.yaml"
        # %%writefile k8s/shop.yaml
        # kind: Service

        # %% name="b" app="k8s/shop.yaml"
        # %%writefile k8s/shop.yaml
        # # of the shop
        # kind: Deployment

        # %% name="c" app="k8s/shop.yaml"
        # %%writefile -a k8s/shop.yaml
        # ---
        # spec:
        #   replicas: 2

        # %% name="d" app="Dockerfile"
        # %%writefile {folder}/Dockerfile
        # FROM python:3.13-slim
    """
    assert made(tmp_path, source) == {
        "k8s/shop.yaml": "# of the shop\nkind: Deployment\n---\nspec:\n  replicas: 2\n",
        "Dockerfile": "FROM python:3.13-slim\n",
    }


def test_yaml_that_is_none(tmp_path: Path) -> None:
    source = '# %% name="a" app="rules.yml"\n# %%writefile rules.yml\n# a: [1\n'
    with pytest.raises(SourceError, match=r"rules.yml is no valid YAML: while parsing"):
        made(tmp_path, source)


def test_a_note_for_the_instructor_makes_nothing(tmp_path: Path) -> None:
    note = '\n# %% name="note" only="instructor"\nhalf = None\n'
    assert made(tmp_path, textwrap.dedent(FUNCTION) + note).keys() == {"maths.py"}


def test_drift_of_programs(tmp_path: Path) -> None:
    root = write(tmp_path, {"01_topic": FUNCTION})
    (missing,) = program_drift(root)
    assert missing == f"{FOLDER}/maths.py is missing: run `course build 01_topic`."
    said: list[str] = []
    (path,) = renew(root, "01_topic", say=said.append)
    assert said == [f"wrote {FOLDER}/maths.py"]
    assert list(program_drift(root)) == []
    assert renew(root, "01_topic", say=said.append) == []
    path.write_text(path.read_text("utf-8").replace("/ 2", "/ 3"), "utf-8")
    assert [line for line in drift(root) if FOLDER in line] == [
        f"{FOLDER}/maths.py is not what 01_topic gives: run `course build 01_topic`."
    ]
    assert renew(root, "02_other", say=said.append) == []
    assert renew(root, "01_topic", say=said.append) == [path]
    write(root, {"01_topic": FUNCTION.replace("maths.py", "sums.py")})
    (path.parent / "k8s").mkdir()
    (path.parent / "k8s/old.yaml").write_text("a: 1\n")
    assert [line.partition(":")[0] for line in program_drift(root)] == [
        f"{FOLDER}/sums.py is missing",
        f"{FOLDER}/k8s/old.yaml is left over",
        f"{FOLDER}/maths.py is left over",
    ]


def test_a_broken_source_is_reported_once(tmp_path: Path) -> None:
    root = write(tmp_path, {"01_topic": "x = 1\n"})
    (root / "notebooks/01_topic.ipynb").write_text("{}")
    (line,) = drift(root)
    assert "has no name" in line


def test_a_program_that_cannot_be_imported_is_not_written(tmp_path: Path) -> None:
    root = write(tmp_path, {"01_topic": cells("X = 1 // 0")})
    with pytest.raises(SourceError, match=r"maths.py cannot be imported: ZeroDivisionError"):
        renew(root, "01_topic", say=print)
    assert not (root / FOLDER).exists()


def test_a_notebook_is_not_run_for_cells_that_make_no_program(tmp_path: Path) -> None:
    root = write(tmp_path, {"01_topic": cells("X = nowhere")})
    said: list[str] = []
    with pytest.raises(SourceError, match="nowhere"):
        build(root, "01_topic", changed_only=True, say=said.append)
    assert said == []


def test_the_check_looks_at_the_committed_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path, {"01_topic": FUNCTION})
    renew(root, "01_topic", say=print)
    mini.commit(root)
    (root / FOLDER / "maths.py").unlink()
    COMMANDS["build"](["--check", "--root", str(root)])
    assert "maths.py is" not in capsys.readouterr().out
    mini.commit(root)
    assert COMMANDS["build"](["--check", "--root", str(root)]) == 1
    assert "maths.py is missing" in capsys.readouterr().out


def test_without_ruff_the_build_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path, {"01_topic": FUNCTION})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert COMMANDS["build"](["--root", str(root)]) == 2
    assert "needs ruff" in capsys.readouterr().err


def test_the_linter_sorts_imports_where_the_file_lies_as_in_the_project(tmp_path: Path) -> None:
    """There its neighbours are modules of the same project, so they come last."""
    before = UNMARKED.format("import numpy as np\nfrom pathlib import Path")
    second = textwrap.dedent(SECOND).replace("number: float", "number: Path | np.float64")
    folder = tmp_path / "home"
    for name, one in programs(write(tmp_path, {"01_a": FUNCTION, "02_b": before + second})).items():
        (folder / "programs").mkdir(parents=True, exist_ok=True)
        (folder / "programs" / name).write_text(one.text, "utf-8")
    rules = RUFF.read_text("utf-8").replace("../../../pyproject.toml", str(ROOT / "pyproject.toml"))
    (folder / "ruff.toml").write_text(rules, "utf-8")
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", "programs"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
