"""JupyterLab as `course lab` opens it, and a real browser in front of it."""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from helpers.course.lab import arguments, prepare
from helpers.paths import ROOT

Theme = Literal["JupyterLab Light", "JupyterLab Dark"]

START_LIMIT_S = 90
RUN_LIMIT_S = 240
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Alone on this machine: no first-start pages, no updates, no sync, no graphics card.
_FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)


def browser_program() -> str | None:
    """The path of an installed Chromium or Chrome, if there is one."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def launch(playwright: Playwright, program: str) -> Browser:
    """Start the browser without a window.

    Raises:
        playwright.sync_api.Error: it does not start.
    """
    flags = list(_FLAGS)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium refuses its sandbox to root
    return playwright.chromium.launch(executable_path=program, args=flags)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab.

    `url` is its root, `folder` what it shows, `settings` where a test may put user settings.
    """

    url: str
    token: str
    folder: Path
    settings: Path

    def set(self, plugin: str, values: dict[str, object]) -> None:
        """Change a plugin's user settings; the next page that is opened has them."""
        package, name = plugin.split(":")
        path = self.settings / package / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), "utf-8")

    def open(self, page: Page, notebook: str) -> Locator:
        """Open a notebook by its path from `folder`; returns its panel once its cells are there."""
        page.goto(f"{self.url}lab/tree/{quote(notebook)}?token={self.token}&reset")
        panel = page.locator(".jp-NotebookPanel")
        expect(panel.locator(".jp-Cell").first).to_be_visible(timeout=START_LIMIT_S * 1000)
        # Whoever runs a cell before the kernel is there is asked to choose one.
        idle = page.get_by_text("Python 3 (ipykernel) | Idle")
        expect(idle).to_be_visible(timeout=START_LIMIT_S * 1000)
        return panel


@contextlib.contextmanager
def jupyterlab(folder: Path, home: Path) -> Iterator[Lab]:
    """JupyterLab on a port of its own, showing `folder`, with the course folder `home`.

    Raises:
        RuntimeError: it ends, or does not start within `START_LIMIT_S`; the message has its log.
    """
    variables = prepare(Path(sys.prefix), home)
    token = secrets.token_hex(16)
    options = arguments(folder, ["--no-browser", "--ServerApp.port=0"])
    options.append(f"--IdentityProvider.token={token}")
    log = home / "jupyterlab.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=folder,
            env={**os.environ, **variables, "COURSE_HOME": str(home)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        runtime = Path(variables["JUPYTER_RUNTIME_DIR"])
        url = _url(process, runtime, log)
        yield Lab(url, token, folder, Path(variables["JUPYTERLAB_SETTINGS_DIR"]))
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _url(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """The address that the server wrote down when it was ready."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, json.JSONDecodeError, StopIteration):
            state = json.loads(next(runtime.glob("jpserver-*.json")).read_text("utf-8"))
            address = urlsplit(state["url"])
            # The file is there before the server takes connections.
            with socket.create_connection((str(address.hostname), int(address.port or 0)), 1):
                return str(state["url"])
        time.sleep(0.1)
    ending = log.read_text("utf-8", errors="replace")[-3000:]
    raise RuntimeError(f"JupyterLab did not start:\n{ending}")


@contextlib.contextmanager
def printed_address(command: Sequence[str], **variables: str) -> Iterator[str]:
    """The first address that a command of the course prints; it is stopped at the end.

    Args:
        command: program and arguments.
        variables: of its environment, besides our own.

    Raises:
        RuntimeError: it has ended without one.
    """
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield found[0]
                return
        raise RuntimeError(f"{' '.join(command)} printed no address.")
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def run_all(page: Page, panel: Locator) -> None:
    """Run every cell of the open notebook, and wait for the last one."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    pending = panel.locator(".jp-InputPrompt", has_text="[*]")
    numbered = panel.locator(".jp-CodeCell .jp-InputPrompt").last
    expect(numbered).to_contain_text("]:", timeout=RUN_LIMIT_S * 1000)
    expect(pending).to_have_count(0, timeout=RUN_LIMIT_S * 1000)


def switch_theme(page: Page, theme: Theme) -> None:
    """Choose a theme in the menu, with whatever is open, and wait until the page has it."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text="Theme").first.hover()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{theme}$")).click()
    expect(page.locator(f'body[data-jp-theme-name="{theme}"]')).to_be_attached()
    page.wait_for_timeout(1500)  # a diagram that is drawn again would be there by then


def contrast(node: Locator, ink: str = "color") -> float:
    """How a colour of an element stands out from what is behind it (WCAG 2): 1 to 21.

    Args:
        ink: the style that has the colour, such as `color` or `stroke`.
    """
    found: float = node.evaluate(_CONTRAST, ink)
    return found


# A function for the page: contrastOf(node, ink). Ends with a line break, for what uses it.
CONTRAST_OF = """const contrastOf = (node, ink) => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = numbers(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const [a, b] = [light(numbers(getComputedStyle(node)[ink])), light(behind(node))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};
"""
_CONTRAST = f"(node, ink) => {{ {CONTRAST_OF} return contrastOf(node, ink); }}"


def write_cell(page: Page, cell: Locator, source: str) -> None:
    """Replace a cell's code by typing, as a learner does, and run it."""
    editor = cell.locator(".cm-content")
    editor.scroll_into_view_if_needed()
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(source)
    page.keyboard.press("Control+Enter")


def problems_of(page: Page) -> list[str]:
    """The errors and console lines of a page from now on, collected in the list returned."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    return problems


def hosts_asked(page: Page) -> set[str]:
    """The hosts that the page asks from now on, collected in the set that is returned."""
    hosts: set[str] = set()

    def note(url: str) -> None:
        if urlsplit(url).scheme in ("http", "https", "ws", "wss"):
            hosts.add(urlsplit(url).hostname or "")

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    return hosts
