"""A timed plan of a workshop: what fits into its minutes, in which order, and what to cut first.

Each module begins with what it cannot do without. Then the modules take turns: each adds its next
piece, as long as the plan still fits. What joined last is what to cut first. Nothing is random, so
the same request gives the same plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from helpers.workshop.plan_parts import Module, Piece, module

SHORTEST = 45
STRETCH = 90  # minutes of work after which a break comes at the latest
BREAK = 10
OPENING = CLOSING = 5
LONGEST_DAY = 480
BUFFER = 0.1
PATH = ("01", "02", "03", "05", "08", "09", "04", "10", "11", "07", "06", "12")
"""In which order modules join a plan that names none."""


class TooShortError(Exception):
    """The modules do not fit into the minutes; the message says what does."""


@dataclass(frozen=True)
class Block:
    """A line of the timetable: `start` and `minutes` count from the beginning of its day.

    `what` is "opening", "show", "do", "break", "closing" or "buffer"; `piece` is what is shown or
    done.
    """

    start: int
    minutes: int
    what: str
    piece: Piece | None = None


@dataclass(frozen=True)
class Plan:
    """A plan that fits.

    Attributes:
        minutes: all of the workshop, breaks and buffer included.
        modules: in their order.
        days: the blocks of each day, without gaps.
        cuts: the pieces to leave out when late, first one first.
        left: minutes for which these modules have nothing more.
    """

    minutes: int
    modules: tuple[Module, ...]
    days: tuple[tuple[Block, ...], ...]
    cuts: tuple[Piece, ...]
    left: int


def plan(minutes: int, numbers: Sequence[str] | None, *, root: Path) -> Plan:
    """The plan of a workshop.

    Args:
        minutes: its length, breaks included, from 45. More than 480 are divided into days.
        numbers: modules, two digits each; where it is None, `PATH` chooses.

    Raises:
        TooShortError: the modules do not fit even with the least of each.
        SourceMissing: there is no such module.
        MinutesError: a module does not say how long it takes.
    """
    if numbers is None:
        chosen = _chosen(minutes, root)
    else:
        chosen = [module(number, root=root) for number in sorted(set(numbers))]
    joined = [piece for one in chosen for piece in one.pieces if piece.rank == 0]
    days = _days(_ordered(joined), minutes)
    if days is None:
        raise TooShortError(_what_fits(chosen, minutes))
    extra: list[Piece] = []
    for piece in _turns(chosen):
        if not has_what_it_needs(piece, [*joined, *extra]):
            continue
        tried = _days(_ordered([*joined, *extra, piece]), minutes)
        if tried is not None:
            days = tried
            extra.append(piece)
    whole = len(joined) + len(extra) == sum(len(one.pieces) for one in chosen)
    timetable, left = _with_slack(days, minutes, whole)
    return Plan(minutes, tuple(chosen), timetable, tuple(reversed(extra)), left)


def least_minutes(chosen: Sequence[Module]) -> int:
    """The shortest workshop that has the least of each module."""
    pieces = _ordered([piece for one in chosen for piece in one.pieces if piece.rank == 0])
    minutes = max(SHORTEST, sum(piece.minutes for piece in pieces))
    while _days(pieces, minutes) is None:
        minutes += 1
    return minutes


def _chosen(minutes: int, root: Path) -> list[Module]:
    """Modules along the path while each has its least and a quarter of the rest; else module 00."""
    chosen: list[Module] = []
    wanted: list[Piece] = []
    for number in PATH:
        one = module(number, root=root)
        pieces = [piece for piece in one.pieces if piece.rank == 0]
        if chosen:  # the first module may be at its least
            rest = sorted((p for p in one.pieces if p.rank), key=lambda p: (p.rank, p.place))
            quarter, taken = (one.whole - one.least) / 4, 0
            for piece in rest:
                if taken < quarter:
                    pieces.append(piece)
                    taken += piece.minutes
        if _days(_ordered([*wanted, *pieces]), minutes) is None:
            break
        chosen.append(one)
        wanted += pieces
    return sorted(chosen, key=lambda one: one.number) or [module("00", root=root)]


def _ordered(pieces: Sequence[Piece]) -> list[Piece]:
    return sorted(pieces, key=lambda piece: (piece.module, piece.place))


def _turns(chosen: Sequence[Module]) -> list[Piece]:
    """The pieces that may join, module by module in turn, the most useful of each first."""
    queues = [
        sorted((p for p in one.pieces if p.rank), key=lambda p: (p.rank, p.place)) for one in chosen
    ]
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def has_what_it_needs(piece: Piece, joined: Sequence[Piece]) -> bool:
    """Whether the sections that an exercise needs are in the plan."""
    return set(piece.needs) <= {one.title for one in joined if one.module == piece.module}


def _lengths(minutes: int) -> tuple[int, int]:
    """How many days a workshop has, and the minutes of the shortest of them."""
    days = ceil(minutes / LONGEST_DAY)
    return days, minutes // days


def _days(pieces: Sequence[Piece], minutes: int) -> list[list[Block]] | None:
    """The timetable of these pieces, closings included, buffers kept free; None: they do not fit.

    A piece is never divided over two days or by a break.
    """
    most, length = _lengths(minutes)
    room = length - ceil(BUFFER * length) - CLOSING
    days = [[Block(0, OPENING, "opening")]]
    clock, since = OPENING, OPENING
    for piece in pieces:
        pause = BREAK if since + piece.minutes > STRETCH else 0
        if clock + pause + piece.minutes > room:
            if len(days) == most or OPENING + piece.minutes > room:
                return None
            days.append([Block(0, OPENING, "opening")])
            clock, since, pause = OPENING, OPENING, 0
        if pause:
            days[-1].append(Block(clock, pause, "break"))
            clock, since = clock + pause, 0
        days[-1].append(Block(clock, piece.minutes, piece.kind, piece))
        clock, since = clock + piece.minutes, since + piece.minutes
    return days


def _with_slack(
    days: list[list[Block]], minutes: int, whole: bool
) -> tuple[tuple[tuple[Block, ...], ...], int]:
    """Closings and buffers added, and what is left over.

    As long as something was left out, what remains of a day goes to its buffer. Where everything is
    in, the buffer is a tenth, and the rest is free.
    """
    most, length = _lengths(minutes)
    longer = minutes - most * length  # so many days have one minute more
    finished: list[tuple[Block, ...]] = []
    used = 0
    for number, blocks in enumerate(days):
        own = length + (number < longer)
        end = blocks[-1].start + blocks[-1].minutes
        buffer = ceil(BUFFER * length) if whole else own - end - CLOSING
        closing = Block(end, CLOSING, "closing")
        finished.append((*blocks, closing, Block(end + CLOSING, buffer, "buffer")))
        used += end + CLOSING + buffer
    return tuple(finished), minutes - used


def _what_fits(chosen: Sequence[Module], minutes: int) -> str:
    needed = least_minutes(chosen)
    names = ", ".join(one.number for one in chosen)
    least = {one.number: least_minutes([one]) for one in chosen}
    fitting = [number for number, own in least.items() if own <= minutes]
    each = ", ".join(f"{number} needs {own}" for number, own in least.items())
    what = (
        f"Module {names} needs at least {needed} minutes"
        if len(chosen) == 1
        else f"Modules {names} together need at least {needed} minutes ({each})"
    )
    fits = (
        f"What fits into {minutes}: {' or '.join(fitting)}."
        if fitting
        else "Raise --minutes, or leave out --modules: then the plan chooses."
    )
    return f"{what}, with breaks and a buffer. {fits}"
