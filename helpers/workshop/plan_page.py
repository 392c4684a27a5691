"""A plan as Markdown, which is also what its HTML page is made from."""

import re
from pathlib import Path

from helpers.workshop.plan import Block, Plan
from helpers.workshop.plan_parts import RESULT, Module, Piece
from helpers.workshop.skipped import run_first

_WHAT = {
    "opening": "Open: the aims of the day. Everyone runs `course doctor`",
    "break": "**Break**",
    "closing": "Close: what did you measure? What will you use on Monday?",
    "buffer": "Buffer: questions, and what took longer than planned",
}
_GATE = "The gate is the exercise that the lab's notes call so, or else the last one."
_DOWNLOAD = re.compile(
    r"^\| the learner's lock[^|]*\| ([\d,]+) \| ([\d,]+(?: to [\d,]+)?) \|", re.M
)


def title(made: Plan) -> str:
    """The plan's title, without marks of Markdown."""
    return f"Workshop plan: {made.minutes} minutes"


def markdown(made: Plan, *, root: Path) -> str:
    """The whole plan: needs, timetable, cuts, and what it leaves out."""
    parts = [f"# {title(made)}", _summary(made), _ready(made, root)]
    first = _run_first(made)
    for number, blocks in enumerate(made.days, start=1):
        name = f"Day {number}" if len(made.days) > 1 else "Timetable"
        length = sum(block.minutes for block in blocks)
        parts.append(f"## {name}: {length} minutes\n\n{_timetable(blocks, first)}")
    parts += [_cuts(made), _left_out(made)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _summary(made: Plan) -> str:
    spent: dict[str, int] = {}
    for block in (block for blocks in made.days for block in blocks):
        spent[block.what] = spent.get(block.what, 0) + block.minutes
    names = ", ".join(f"{one.number} {one.title}" for one in made.modules)
    shares = [f"{spent.get('show', 0)} minutes shown", f"{spent.get('do', 0)} of exercises"]
    if "break" in spent:
        shares.append(f"{spent['break']} of breaks")
    shares.append(f"{spent['buffer']} of buffer")
    shares.append(f"{spent['opening'] + spent['closing']} to open and close")
    lines = [
        f"{'Modules' if len(made.modules) > 1 else 'Module'}: {names}. {', '.join(shares)}.",
        "The minutes come from the walkthroughs and labs: the upper figure where they give a "
        "range. Sections share a walkthrough's minutes by their number of cells; exercises share a "
        "lab's evenly. While you show a section, people run its cells. Some cells use what a "
        "section outside this plan defines. Then the row names that section: people run its cells "
        "first, and you do not explain them. Lunch is not in the plan, nor in its minutes: put it "
        "in place of a break.",
    ]
    if made.left:
        lines.append(
            f"**{made.left} minutes are left:** these modules have nothing more. Name more modules "
            "with `--modules`, or begin with `course demo` (one to three minutes)."
        )
    return "\n\n".join(lines)


def _ready(made: Plan, root: Path) -> str:
    lines = [
        "- **Everyone, before the day:** the course is set up (`python3 -m helpers lab`), and "
        f"`course doctor` prints OK on every line.{_sizes(root)}",
        "- **You, before the day:** open the walkthroughs in `notebooks/`, which have their "
        "outputs; read `course workshop notes NN`; make slides with `course workshop slides NN`.",
    ]
    planned = {one.number for one in made.modules}
    lines += [_needs(one, planned) for one in made.modules]
    return "## What each part needs\n\n" + "\n".join(lines)


def _needs(one: Module, planned: set[str]) -> str:
    needs = []
    if missing := [number for number in one.before if number not in planned]:
        word, are, them = (
            ("module", "is", "it") if len(missing) == 1 else ("modules", "are", "them")
        )
        needs.append(
            f"builds on {word} {', '.join(missing)}, which {are} not in this plan: ask people to "
            f"work through {them} before the day, or explain what they need"
        )
    if one.machine:
        minutes = "a minute" if one.machine == 1 else f"about {one.machine} minutes"
        needs.append(
            f"the machine works for {minutes} of the walkthrough: run it before the day, or show "
            "the stored outputs"
        )
    if one.programs:
        needs.append(f"programs: {one.programs}; without them, show the stored outputs")
    return f"- **{one.number} {one.title}:** {'; '.join(needs) or 'nothing more'}."


def _sizes(root: Path) -> str:
    """What README's table says of the download; nothing where it says nothing."""
    try:
        found = _DOWNLOAD.search((root / "README.md").read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    if not found:
        return ""
    return f" That is {found[1]} MB to download and {found[2]} MB on disk for each machine."


def _run_first(made: Plan) -> dict[Piece, tuple[str, ...]]:
    """Piece to show -> the sections that the plan leaves out and whose cells it needs."""
    shown = {block.piece for blocks in made.days for block in blocks if block.piece}
    found: dict[Piece, tuple[str, ...]] = {}
    for one in made.modules:
        titles = [piece.title for piece in one.pieces if piece in shown and piece.kind == "show"]
        headings = [one.sections[0].heading, *titles]  # the first piece has a title of its own
        needed = run_first(one.sections, headings)
        found |= {piece: needed[piece.title] for piece in one.pieces if piece.title in needed}
    return found


def _timetable(blocks: tuple[Block, ...], first: dict[Piece, tuple[str, ...]]) -> str:
    rows = ["| from | minutes | part | what |", "|---|---|---|---|"]
    for block in blocks:
        what, text = _row(block)
        if block.piece in first:
            names = _cell("; ".join(first[block.piece]))
            result = block.piece.title.startswith(RESULT)
            text += (
                " (show the stored output)"
                if result
                else f" (before it, run without comment: {names})"
            )
        rows.append(f"| {_clock(block.start)} | {block.minutes} | {what} | {text} |")
    return "\n".join(rows)


def _row(block: Block) -> tuple[str, str]:
    if block.piece is None:
        return "", _WHAT[block.what]
    what = "do" if block.what == "do" else "show"
    return f"{block.piece.module}\u00a0{what}", _cell(block.piece.title)


def _cuts(made: Plan) -> str:
    if not made.cuts:
        return (
            "## When you are late\n\nThis plan has only what its modules cannot do without. Use "
            "the buffer first. Then leave the first exercise of each module for afterwards, and "
            f"keep the gate. {_GATE}"
        )
    lines, saved = [], 0
    for number, piece in enumerate(made.cuts, start=1):
        saved += piece.minutes
        lines.append(f"{number}. {_named(piece)}: {piece.minutes} minutes ({saved} in all)")
    return (
        "## When you are late\n\nUse the buffer first. Then cut in this order. Keep what is not "
        "listed: of each module the opening, the longest sections, the result, the first exercise "
        f"and the gate, with the sections that these exercises use. {_GATE} Where a later section "
        "uses what you cut, people run those cells without comment.\n\n" + "\n".join(lines)
    )


def _left_out(made: Plan) -> str:
    planned = {block.piece for blocks in made.days for block in blocks if block.piece}
    lines = []
    for one in made.modules:
        missing = [piece for piece in one.pieces if piece not in planned]
        for kind, said in (("show", "to read"), ("do", "to do")):
            names = [_cell(piece.title) for piece in missing if piece.kind == kind]
            minutes = sum(piece.minutes for piece in missing if piece.kind == kind)
            if names:
                lines.append(f"- {one.number}, {said} ({minutes} minutes): {'; '.join(names)}")
    return "## For afterwards\n\n" + "\n".join(lines) if lines else ""


def _named(piece: Piece) -> str:
    kind = "exercise" if piece.kind == "do" else "section"
    return f"{piece.module}, {kind} {_cell(piece.title)}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
