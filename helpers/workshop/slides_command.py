"""`course workshop slides`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.outfile import OutError, named
from helpers.paths import ROOT, course_dir


def run(argv: Sequence[str]) -> int:
    """Write the slides: 0 done, 1 the notebook or the disk refused, 2 bad use."""
    parser = argparse.ArgumentParser(
        prog="course workshop slides",
        description="Slides of a walkthrough as one HTML file, which needs no network: for each "
        "heading of the built notebook its first lines, its diagram, and the cell that the "
        "instructor's note is about, with its table, plot or printed lines, as far as a screen of "
        "1280 x 720 has room for them. A section with several notes has several slides. Keys: "
        "the right arrow or Space shows the output, then goes on, and the left arrow goes back; "
        "Home and End; Escape for the overview; n for the instructor's notes on the slide; p for "
        "the notes in a window of their own, for your own screen. Print it from the browser.",
        epilog="Exit status: 0 done, 1 the notebook cannot be read or the file not written, 2 bad "
        "use.",
    )
    parser.add_argument("module", help="the module's number, such as 01")
    parser.add_argument(
        "--out",
        type=named(".html"),
        metavar="FILE",
        help="the file to write, in .html (default: .course/slides/NN.html, which is replaced)",
    )
    options = parser.parse_args(argv)
    out: Path | None = options.out
    from helpers.workshop.cells import SourceMissing, read, source_of
    from helpers.workshop.notes import Note, notes_of
    from helpers.workshop.page import save
    from helpers.workshop.slides import SlidesError, read_notebook, slides
    from helpers.workshop.slides_page import slides_page

    number = options.module.zfill(2) if options.module else ""
    notes: list[Note] = []
    try:
        cells = read_notebook(number, root=ROOT)
    except (SourceMissing, SlidesError) as problem:
        print(f"course workshop slides: {problem}", file=sys.stderr)
        return 2 if isinstance(problem, SourceMissing) else 1
    try:
        try:
            notes = notes_of(read(source_of(number, "notebooks", root=ROOT)))
        except SourceMissing as problem:
            print(f"course workshop slides: no notes. {problem}", file=sys.stderr)
        made = slides(cells, notes)
        if not made:
            raise SlidesError(f"The walkthrough {number} has no headings to make slides from.")
        text = slides_page(made[0].title, made, _lab(number))
        if out is None:
            out = course_dir() / "slides" / f"{number}.html"
            save(out, text, renew=True)
        else:
            save(out, text)
    except (SlidesError, OutError) as problem:
        print(f"course workshop slides: {problem}", file=sys.stderr)
        return 1
    size = len(text.encode()) / 1e6
    print(f"Wrote {len(made)} slides ({size:.1f} MB) to {out}. Open it in a browser.")
    return 0


def _lab(number: str) -> str:
    """The lab's file as people find it in their copy; "" where there is none."""
    found = sorted((ROOT / "labs").glob(f"{number}_*.ipynb"))
    return f"labs/{found[0].name}" if found else ""
