"""Take run noise out of outputs, so that a rebuilt notebook differs only where results differ."""

import re
import sysconfig
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat

Scrub = Callable[[str], str]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PROGRESS = re.compile(r"\d+%\|.*\|\s*[\d.]+\w*/[\d.?]+\w*\s*\[|\b\d+it \[\d\d:\d\d")
# What Ray's own C++ code logs, with the time and the process.
_RAY_LOG = re.compile(
    r"^\[\d{4}-\d\d-\d\d [\d:,]+ [IWE] \d+ \d+\] \w+\.cc:\d+: .*\n?", re.MULTILINE
)
# What Ray's parts report of each other, with ids and ports of this run; also that an earlier Ray is
# not the one that is meant.
_RAYLET = re.compile(
    r"^(?:\(raylet\)|\(autoscaler|[\d, :\t-]+INFO utils\.py:\d+ -- Overwriting).*\n?"
    r"(?:(?:\t| {4}).*\n?)*",
    re.MULTILINE,
)
# A path from its beginning: tried at every letter of a picture in base64, it would take minutes.
_PATH = r"(?<![^\s\"'<>(])[^\s\"'<>(]*[/\\]"
_PATTERNS = (
    (re.compile(_PATH + r"ipykernel_\d+[/\\]\d+\.py"), "this cell"),
    (re.compile(_PATH + r"site-packages[/\\]"), ""),
    (re.compile(r" at 0x[0-9a-fA-F]{6,}"), ""),
    # Ports that the system hands out (32768 and up on Linux): another one on every run.
    (
        re.compile(
            r"\b(127\.0\.0\.1|localhost):(3276[89]|327[7-9]\d|32[89]\d\d|3[3-9]\d{3}|[456]\d{4})\b"
        ),
        r"\1:PORT",
    ),
)


def clean(notebook: nbformat.NotebookNode, *, root: Path, home: Path) -> None:
    """Clean an executed notebook in place.

    Left out: times of execution, live widgets, progress bars, colour codes, memory addresses,
    temporary names, ports that the system chose, and paths of this machine: what lies in `root`
    is named from there, the course folder `home` becomes `.course`, the author's home `~`.
    """
    scrub = _scrubber(root, home)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            streams = _merged(_without_widget(output) for output in cell.outputs)
            cell.outputs = _merged(_scrubbed(output, scrub) for output in streams)


def _without_widget(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """A live widget cannot be stored: keep what stands beside it, if that can be read."""
    if _WIDGET in output.get("data", {}):
        del output.data[_WIDGET]
        if set(output.data) <= {"text/plain"}:
            return None
    return output


def _merged(outputs: Iterable[nbformat.NotebookNode | None]) -> list[nbformat.NotebookNode]:
    """Streams that nothing stands between become one stdout, then one stderr.

    Where a stream is cut, and which of the two comes first, depends on the kernel's clock alone.
    Anything displayed in between flushes both, so that the order there is the program's.
    """
    merged: list[nbformat.NotebookNode] = []
    streams: dict[str, nbformat.NotebookNode] = {}
    for output in outputs:
        if output is None:
            continue
        if output.output_type != "stream":
            merged += [streams[name] for name in sorted(streams, reverse=True)]
            streams = {}
            merged.append(output)
        elif output.name in streams:
            streams[output.name].text += output.text
        else:
            streams[output.name] = output
    return merged + [streams[name] for name in sorted(streams, reverse=True)]


def _scrubbed(output: nbformat.NotebookNode, scrub: Scrub) -> nbformat.NotebookNode | None:
    if output.output_type == "stream":
        output.text = _RAYLET.sub("", scrub(_without_progress(_RAY_LOG.sub("", output.text))))
        return output if output.text.strip() else None
    data = output.get("data", {})
    for mime, content in data.items():
        if not mime.startswith(("image/png", "image/jpeg", "application/pdf")):
            data[mime] = _deep(content, scrub)
    return output


def _without_progress(text: str) -> str:
    """What a terminal would show in the end: of overwritten lines the last, bars not at all."""
    lines = []
    for line in text.split("\n"):
        shown = [part for part in line.split("\r") if part]
        last = shown[-1] if shown else ""
        if not _PROGRESS.search(last):
            lines.append(last)
    return "\n".join(lines)


def _deep(content: Any, scrub: Scrub) -> Any:
    if isinstance(content, str):
        return scrub(content)
    if isinstance(content, dict):
        return {key: _deep(value, scrub) for key, value in content.items()}
    if isinstance(content, list):
        return [_deep(value, scrub) for value in content]
    return content


def _scrubber(root: Path, home: Path) -> Scrub:
    places = {
        home: (".course", ".course/"),
        root: (".", ""),
        Path(sysconfig.get_path("stdlib")): ("python", ""),
        Path.home(): ("~", "~/"),
    }
    rules: list[tuple[re.Pattern[str], str]] = []
    # The longest first: the course folder may lie in the repository, and that in somebody's home.
    for place in sorted(places, key=lambda place: -len(str(place))):
        alone, prefix = places[place]
        for path in {str(place), str(place.resolve()), place.as_posix()}:
            if len(path) > 1:  # a service account's home can be `/`
                spelled = re.escape(path).replace(r"\\", r"\\+")  # a repr doubles backslashes
                rules.append((re.compile(rf"(?<!\w){spelled}[/\\]+(?=[\w.])"), prefix))
                rules.append((re.compile(rf"(?<!\w){spelled}(?![\w-]|\.\w)"), alone))
    temporary = re.escape(tempfile.gettempdir()).replace(r"\\", r"\\+")
    rules.append((re.compile(rf"({temporary}[/\\]+tmp)\w{{8}}\b"), r"\1"))

    def scrub(text: str) -> str:
        text = _ANSI.sub("", text)
        for pattern, replacement in (*rules, *_PATTERNS):
            text = pattern.sub(replacement, text)
        return text

    return scrub
