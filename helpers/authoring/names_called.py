"""What each walkthrough calls in its cells, as the field writes it: the design's table as data.

A name counts where it is code: a call, a decorator, a keyword argument's value, a base class. That
it is imported, or stands in a comment or a docstring, is not enough. What is not Python (YAML,
PromQL, shell) is looked for in the files that cells write, in their strings and in their commands.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from helpers.authoring.cells import Code, code_cells
from helpers.authoring.names import Names, top


@dataclass(frozen=True)
class Use:
    """One place where code uses a name.

    Attributes:
        path: as `Names.path` gives it.
        how: "call", "decorator" or "value" (a keyword's value or a base class).
        keywords: the constants given by keyword; None for a value that is no constant.
        constants: all constants among the arguments.
        inner: the paths of all calls among the arguments.
    """

    path: str
    how: str
    keywords: Mapping[str, Any] = field(default_factory=dict)
    constants: frozenset[Any] = frozenset()
    inner: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Said:
    """What all cells of a notebook use and write."""

    uses: tuple[Use, ...]
    texts: tuple[str, ...]
    commands: tuple[str, ...]
    files: tuple[str, ...]


class Pattern:
    """One way in which a name can be used."""

    def found(self, said: Said) -> bool:
        """Whether a notebook uses it so."""
        raise NotImplementedError


@dataclass(frozen=True)
class Called(Pattern):
    """A name of one of these packages is used as code.

    Attributes:
        name: the last part of it, or a part before (`InMemoryVectorStore.from_texts`); "" for any.
        of: packages that it may come from; none for a method of some object that is not the
            course's.
        how: in which ways; a decorator is a call too where it is called.
        keyword: an argument that is given by name, with the value `given` where that is not None.
        given: a constant that stands among the arguments.
        around: a call of this name is among the arguments.
        part: what the path contains besides.
    """

    name: str
    of: tuple[str, ...] = ()
    how: tuple[str, ...] = ("call", "decorator", "value")
    keyword: str = ""
    given: Any = None
    around: str = ""
    part: str = ""

    def found(self, said: Said) -> bool:
        """Whether some use fits."""
        return any(self._fits(use) for use in said.uses)

    def _fits(self, use: Use) -> bool:
        parts = use.path.split(".")
        if self.of:
            right = top(use.path) in self.of and (not self.name or self.name in parts[1:])
        else:
            right = len(parts) > 1 and parts[-1] == self.name and parts[0] != "helpers"
        if not right or use.how not in self.how or self.part not in use.path:
            return False
        if self.around and not any(path.split(".")[-1] == self.around for path in use.inner):
            return False
        if not self.keyword:
            return self.given is None or self.given in use.constants
        return self.keyword in use.keywords and (
            self.given is None or _holds(use.keywords[self.keyword], self.given)
        )


@dataclass(frozen=True)
class Text(Pattern):
    """A file that a cell writes, or a string of a cell, matches."""

    pattern: str

    def found(self, said: Said) -> bool:
        """Whether some text matches."""
        return any(re.search(self.pattern, text) for text in said.texts)


@dataclass(frozen=True)
class Yaml(Pattern):
    """A document of YAML of this kind, or with all these keys, wherever in it."""

    kind: str = ""
    keys: tuple[str, ...] = ()

    def found(self, said: Said) -> bool:
        """Whether some document fits."""
        return any(
            (not self.kind or document.get("kind") == self.kind)
            and set(self.keys) <= set(_keys(document))
            for text in said.texts
            for document in _documents(text)
        )


@dataclass(frozen=True)
class Command(Pattern):
    """A shell line, or a list of words given to a process, begins so."""

    words: str

    def found(self, said: Said) -> bool:
        """Whether some command does."""
        return any(re.match(rf"(\S*/)?{self.words}(\s|$)", line) for line in said.commands)


@dataclass(frozen=True)
class File(Pattern):
    """A cell writes a file of this name."""

    name: str

    def found(self, said: Said) -> bool:
        """Whether some cell does."""
        return any(path.rsplit("/", 1)[-1] == self.name for path in said.files)


@dataclass(frozen=True)
class Wanted:
    """One entry of the table: its name there, and the ways to use it, of which one is enough."""

    name: str
    ways: tuple[Pattern, ...]


_LANG = ("langchain", "langchain_core", "langgraph")
_PROMETHEUS = ("prometheus_client",)
_SKLEARN = ("sklearn",)


def _want(name: str, *ways: Pattern) -> Wanted:
    return Wanted(name, ways)


def _decorated(name: str, *of: str) -> Wanted:
    return _want(f"@{name}", Called(name.rsplit(".", 1)[-1], of, ("decorator",)))


def _called(name: str, *of: str) -> Wanted:
    return _want(name, Called(name.rsplit(".", 1)[-1], of))


def _method(name: str) -> Wanted:
    return _want(f".{name}(", Called(name, how=("call",)))


def _kind(name: str) -> Wanted:
    return _want(name, Yaml(name))


CALLED: dict[str, tuple[Wanted, ...]] = {
    "01": (
        _decorated("tool", *_LANG),
        _called("StateGraph", *_LANG),
        _called("ToolNode", *_LANG),
        _called("create_agent", *_LANG),
        _called("InMemorySaver", *_LANG),
        _called("InMemoryVectorStore", *_LANG),
        _method("with_structured_output"),
        _method("stream"),
    ),
    "02": (
        _want(
            "evaluate of langsmith",
            Called("evaluate", ("langsmith",)),
            Called("aevaluate", ("langsmith",)),
            Called("evaluate", how=("call",)),
            Called("aevaluate", how=("call",)),
        ),
        _want(
            "a trajectory evaluator of agentevals", Called("", ("agentevals",), part="trajectory")
        ),
        _want(
            "McNemar of statsmodels (or scipy)",
            Called("mcnemar", ("statsmodels",)),
            Called("binomtest", ("scipy",)),
        ),
        _want("Holm of statsmodels", Called("multipletests", ("statsmodels",), given="holm")),
        _called("cohen_kappa_score", *_SKLEARN),
        _called("roc_auc_score", *_SKLEARN),
    ),
    "03": (
        _called("PIIMiddleware", *_LANG),
        _decorated("before_model", *_LANG),
        _decorated("wrap_model_call", *_LANG),
        _want(
            "TfidfVectorizer in a pipeline",
            Called("make_pipeline", _SKLEARN, around="TfidfVectorizer"),
            Called("Pipeline", _SKLEARN, around="TfidfVectorizer"),
        ),
    ),
    "04": (
        _called("HumanInTheLoopMiddleware", *_LANG),
        _want("Command(resume=", Called("Command", _LANG, keyword="resume")),
        _decorated("wrap_tool_call", *_LANG),
        _called("get_suite", "agentdojo"),
        _method("set_authorizer"),
        _called("nh3.clean", "nh3"),
        _called("ip_address", "ipaddress"),
    ),
    "05": (
        _called("Depends", "fastapi"),
        _called("compare_digest", "secrets", "hmac"),
        _called("Semaphore", "asyncio", "anyio"),
        _called("EventSourceResponse", "fastapi", "sse_starlette"),
        _want(
            'astream(stream_mode="messages")',
            Called("astream", how=("call",), keyword="stream_mode", given="messages"),
        ),
        _want("lifespan", Called("FastAPI", ("fastapi",), keyword="lifespan")),
        _want(
            "a Prometheus metric",
            *(Called(name, _PROMETHEUS) for name in ("Counter", "Gauge", "Histogram", "Summary")),
        ),
        _want("st.chat_input", Called("chat_input", ("streamlit",)), Text(r"\bst\.chat_input\(")),
    ),
    "06": (
        _want("@ray.remote", Called("remote", ("ray",))),
        _method("map_batches"),
        _want("@serve.deployment", Called("deployment", ("ray",))),
        _called("serve.ingress", "ray"),
        _called("serve.run", "ray"),
        _want("@serve.batch", Called("batch", ("ray",))),
        _called("Cluster", "ray"),
    ),
    "07": (
        _kind("Deployment"),
        _kind("Service"),
        _want("probes", Yaml(keys=("readinessProbe", "livenessProbe"))),
        _kind("HorizontalPodAutoscaler"),
        _kind("PodDisruptionBudget"),
        _kind("NetworkPolicy"),
        _want("kubectl kustomize", Command("kubectl kustomize")),
    ),
    "08": (
        _called("Counter", *_PROMETHEUS),
        _called("Histogram", *_PROMETHEUS),
        _want("rate(", Text(r"\brate\(")),
        _want("histogram_quantile(", Text(r"\bhistogram_quantile\(")),
        _want("a rule file", Yaml(keys=("groups", "rules", "expr"))),
        _want("promtool", Command("promtool")),
        _called("ks_2samp", "scipy"),
        _called("permutation_test", "scipy"),
    ),
    "09": (
        _decorated("traceable", "langsmith"),
        _method("list_runs"),
        _method("create_feedback"),
        _method("create_dataset"),
        _want("client.evaluate", Called("evaluate", how=("call",))),
        _want(
            "anonymizer",
            Called("Client", ("langsmith",), keyword="anonymizer"),
            Called("create_anonymizer", ("langsmith",)),
        ),
    ),
    "10": (
        _decorated("wrap_model_call", *_LANG),
        _called("InMemoryCache", *_LANG, "langchain_community"),
        _called("calc_price", "genai_prices"),
        _method("groupby"),
    ),
    "11": (
        _called("FastMCP", "mcp", "fastmcp"),
        _called("MultiServerMCPClient", "langchain_mcp_adapters"),
        _called("Mangum", "mangum"),
        _want(
            "langgraph_sdk or langgraph.json",
            Called("", ("langgraph_sdk",)),
            File("langgraph.json"),
        ),
    ),
}
"""By module; a walkthrough may use more."""


def missing(module: str, notebook: Mapping[str, Any]) -> list[str]:
    """The names that a module's walkthrough should call and does not.

    Raises:
        SourceError: a code cell is no valid Python.
    """
    said = collect(code_cells(notebook))
    return [
        wanted.name
        for wanted in CALLED.get(module, ())
        if not any(way.found(said) for way in wanted.ways)
    ]


def collect(code: list[Code]) -> Said:
    """What the cells use and write, in order."""
    names = Names()
    uses: list[Use] = []
    texts: list[str] = []
    commands: list[str] = []
    files: list[str] = []
    for cell in code:
        names.read_imports(cell.tree)
        uses += _uses(cell.tree, names)
        texts += _strings(cell.tree)
        commands += [*cell.commands, *_processes(cell.tree)]
        files += cell.files
        texts += [text for path, text in cell.files.items() if not path.endswith(".py")]
        names.read(cell.tree)
    return Said(tuple(uses), tuple(texts), tuple(commands), tuple(files))


def _uses(tree: ast.Module, names: Names) -> Iterator[Use]:
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            made = decorator.func if isinstance(decorator, ast.Call) else decorator
            yield Use(names.path(made), "decorator")
        for base in getattr(node, "bases", ()):
            yield Use(names.path(base), "value")
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Name | ast.Attribute):
            yield Use(names.path(node.value), "value")
        if isinstance(node, ast.Call):
            given = [*node.args, *(each.value for each in node.keywords)]
            inside = [each for arg in given for each in ast.walk(arg)]
            yield Use(
                names.path(node.func),
                "call",
                {each.arg: _constant(each.value) for each in node.keywords if each.arg},
                frozenset(each.value for each in inside if isinstance(each, ast.Constant)),
                frozenset(names.path(each.func) for each in inside if isinstance(each, ast.Call)),
            )


def _constant(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _holds(value: Any, wanted: Any) -> bool:
    return bool(value == wanted) or (isinstance(value, list | tuple) and wanted in value)


def _strings(tree: ast.Module) -> list[str]:
    """The strings that are code: a docstring or a string that stands alone is none."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    ]


def _processes(tree: ast.Module) -> Iterator[str]:
    """The words of a list that begins like a command: `["kubectl", "kustomize", path]`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple):
            words = [each.value if isinstance(each, ast.Constant) else "..." for each in node.elts]
            yield " ".join(map(str, words))


def _documents(text: str) -> list[dict[str, Any]]:
    if ":" not in text:
        return []
    try:
        found = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return []
    return [document for document in found if isinstance(document, dict)]


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
