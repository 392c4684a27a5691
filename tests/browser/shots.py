"""Pictures of the course's notebooks in JupyterLab's light and dark theme, to be looked at.

    python -m tests.browser.shots FOLDER [NOTEBOOK ...] [--run]

Without notebooks: all walkthroughs, labs and solutions. With `--run` every cell is run first, in
a copy, with a course folder of its own. Each notebook becomes one or more pictures a theme.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from helpers.paths import ROOT
from tests.browser.desk import Theme, browser_program, jupyterlab, launch, run_all

THEMES: tuple[Theme, ...] = ("JupyterLab Light", "JupyterLab Dark")
WIDTH, HEIGHT = 1440, 1600
# Cells that are scrolled out of sight are drawn too, and nothing below the last one.
_DRAWING: dict[str, object] = {"windowingMode": "none", "scrollPastEnd": False}


def shoot(folder: Path, notebooks: list[Path], out: Path, *, run: bool) -> Iterator[Path]:
    """Take the pictures of `notebooks`, given by their paths from `folder`; yields each file.

    Raises:
        SystemExit: there is no browser.
    """
    program = browser_program()
    if program is None:
        raise SystemExit("There is no Chromium or Chrome on the path.")
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = launch(play, program)
        for theme in THEMES:
            # A server for each: a kernel that has run the notebook before would count on.
            with (
                tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
                jupyterlab(folder, Path(home)) as lab,
            ):
                lab.set("@jupyterlab/notebook-extension:tracker", _DRAWING)
                lab.set("@jupyterlab/apputils-extension:themes", {"theme": theme})
                for notebook in notebooks:
                    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
                    panel = lab.open(page, notebook.as_posix())
                    if run:
                        run_all(page, panel)
                    stem = f"{notebook.parent.name}-{notebook.stem}-{theme.split()[-1].lower()}"
                    yield from _pictures(page, panel, out, stem)
                    page.close()
        browser.close()


def _pictures(page: Page, panel: Locator, out: Path, stem: str) -> Iterator[Path]:
    """Scroll through the notebook, a picture a screen."""
    page.wait_for_timeout(2000)  # diagrams and images are drawn after the cells are there
    scroller = panel.locator(".jp-WindowedPanel-outer")
    total = int(scroller.evaluate("node => node.scrollHeight"))
    step = int(scroller.evaluate("node => node.clientHeight"))
    for number, top in enumerate(range(0, total, step), start=1):
        scroller.evaluate("(node, top) => { node.scrollTop = top; }", top)
        page.wait_for_timeout(300)
        path = out / f"{stem}-{number}.png"
        panel.screenshot(path=path)
        yield path


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.shots", description=__doc__)
    parser.add_argument("out", type=Path, metavar="FOLDER")
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--run", action="store_true", help="run every cell first")
    parser.add_argument("--root", type=Path, default=ROOT, help="the course's folder")
    options = parser.parse_args()
    root: Path = options.root.resolve()
    folders = ("notebooks", "labs", "solutions")
    paths = options.notebooks or [p for f in folders for p in sorted((root / f).glob("*.ipynb"))]
    notebooks = [path.resolve().relative_to(root) for path in paths]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as copy:
        for name in folders:
            if (root / name).is_dir():
                shutil.copytree(root / name, Path(copy) / name)
        for picture in shoot(Path(copy), notebooks, options.out, run=options.run):
            print(picture)


if __name__ == "__main__":
    main()
