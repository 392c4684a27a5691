"""Answers to a review question, made from what it demands, over a small home with made-up figures.

The judge must accept any words, so the sentences here are about nothing in particular: whether a
text is any good is no matter of the check.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count, cycle
from pathlib import Path
from typing import Any

from helpers.authoring.answers import right, wrong
from helpers.evaluate.version import PARTS, Version
from helpers.review import Answer
from helpers.review.questions import Question, question

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
VERSION = {name: name * 3 for name in PARTS}
# Item -> figure -> (value, count, how it is written).
FIGURES: Mapping[str, Mapping[str, tuple[float, int, str]]] = {
    "functional_quality": {
        "recall at 3": (0.9864864, 74, "98.6%"),
        "refused, unanswerable": (0.6785714, 28, "19 of 28"),
        "errors and timeouts": (0.0, 140, "none of the 140"),
        "right answers": (0.7, 140, "70%"),
    },
    "latency": {
        "seconds an answer, 95th percentile": (6.38795, 140, "6.4 seconds"),
        "seconds an answer, median": (2.11316, 140, "2113 ms"),
    },
    "security": {
        "attack success at 1": (0.0114, 175, "**1.1%**"),
        "benign answers lost": (0.025, 40, "1 of 40"),
    },
    "privacy": {"data of others disclosed": (0.0, 120, "0 of 120")},
    "cost": {
        "dollars a question": (0.000412, 140, "0.041 cents"),
        "dollars a right answer": (0.000589, 98, "$0.00059"),
    },
    "load": {"requests lost": (0.0, 900, "zero")},
    "monitoring": {"kinds of incident missed": (1.0, 11, "one of 11")},
}


def _phrases(text: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in text.split("|")]


_SUBJECTS = _phrases("""
a careful team | the person on call | our newest colleague | every shop owner | the auditor from
outside | an impatient visitor | the payer of the invoice | the designer of the page | a retired
engineer | the second shift | some distant partner | a curious student | the finance department
| an honest seller | the translator | a worried parent | the night guard | one loyal subscriber
| the librarian | a visiting scholar
""")
_VERBS = _phrases("""
looks at | asks about | writes down | forgets | remembers | repeats | questions | measures |
defends | describes | postpones | compares | rejects | welcomes | studies | summarises | prints
| collects | doubts
""")
_OBJECTS = _phrases("""
whatever happened during the previous week | the long tail of rare requests | a plan that nobody
else has read | documents which changed without notice | reasons behind an unpopular choice |
promises made by an earlier version | small print below the price list | signs of trouble before
lunch | the quiet hours between two campaigns | letters returned by the carrier | stories that
travel between departments | the weakest link of a long chain | habits formed under pressure
""")


def prose(start: int) -> Iterator[str]:
    """Sentences that differ from each other, about nothing."""
    for n in count(start):
        subject, verb = _SUBJECTS[n % len(_SUBJECTS)], _VERBS[n * 7 % len(_VERBS)]
        # Beginnings and ends of objects meet again only after all others: no five words repeat.
        begun, ended = n * 5 % len(_OBJECTS), (n * 5 + n // len(_OBJECTS)) % len(_OBJECTS)
        words = [*_OBJECTS[begun].split()[:3], *_OBJECTS[ended].split()[3:]]
        yield f"{subject.capitalize()} {verb} {' '.join(words)}."


def written(home: Path, *, days_old: float = 0, version: Mapping[str, str] = VERSION) -> Path:
    """A packed home with `FIGURES`, measured so many days before it was packed."""
    when = NOW - timedelta(days=days_old)
    for item, figures in FIGURES.items():
        content: dict[str, Any] = {
            "item": item,
            "written": when.isoformat(),
            "command": f"measure {item}",
            "statement": None,
            "by": None,
            "figures": {
                name: {"value": value, "count": of, "low": None, "high": None, "confidence": 0.95}
                for name, (value, of, _) in figures.items()
            },
            "version": {"digest": Version(version).digest, "parts": dict(version)},
        }
        file = home / "evidence" / f"{item}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")
    packed = {
        "recorded": NOW.isoformat(),
        "version": {"digest": Version(VERSION).digest, "parts": VERSION},
    }
    (home / "release.json").write_text(json.dumps(packed), encoding="utf-8")
    return home


_KEEP: list[tempfile.TemporaryDirectory[str]] = []  # gone with the process


@cache
def home(kind: str = "current") -> Path:
    """A home of this kind: "current", "old", or "other" (of another version)."""
    _KEEP.append(tempfile.TemporaryDirectory(prefix="review-"))
    folder = Path(_KEEP[-1].name)
    if kind == "old":
        return written(folder, days_old=400)
    if kind == "other":
        return written(folder, version={**VERSION, "prompt": "another prompt"})
    return written(folder)


def cited(start: int = 0) -> Iterator[str]:
    """Figures with their sources, of one item after the other."""
    every = [
        [f"{text} [{item}: {name}]" for name, (_, _, text) in figures.items()]
        for item, figures in FIGURES.items()
    ]
    rows = [row[n] for n in range(4) for row in every if n < len(row)]
    yield from cycle(rows[start:] + rows[:start])


def bodies(asked: Question, start: int = 0, *, bullets: bool = False) -> dict[str, str]:
    """What stands under each heading of an answer that meets all demands."""
    sentences, figures = prose(start), cited(start)
    found: dict[str, str] = {}
    for part in asked.parts:
        lines = [f"Here the figure is {next(figures)}." for _ in range(max(1, part.figures))]
        while len(" ".join(lines).split()) < 2 * part.words + 12 + 8 * part.figures:
            lines.append(next(sentences))
        found[part.name] = "\n".join(f"- {line}" for line in lines) if bullets else "\n".join(lines)
    if names := asked.names:
        told = [
            f"* **{phrases[-1 if bullets else 0]}**: {next(sentences)}"
            for phrases in list(names.of.values())[: names.fewest]
        ]
        if asked.id == "Q4":
            told = [f"{line} [stated: author {n}, 202{n}]" for n, line in enumerate(told)]
            found["Claim"] += f"\nHence {next(iter(names.of))} is the name that we choose for it."
        found[names.part or asked.parts[0].name] += "\n\n" + "\n".join(told)
    found["Counter-case"] += '\nFor example "may I give the lamp back on Sunday" was answered so.'
    return found


def text_of(parts: Mapping[str, str], level: str = "##") -> str:
    """The answer's Markdown."""
    return "\n\n".join(f"{level} {name}\n\n{body}" for name, body in parts.items())


Make = Callable[[], object]


def answers(question_id: str) -> dict[str, Make]:
    """Right and wrong answers to a question, by name."""
    asked = question(question_id)
    made: dict[str, Make] = {}

    def add(name: str, mark: Callable[[Make], Make], give: Make) -> None:
        give.__name__ = name
        made[name] = mark(give)

    def changed(**parts: str) -> str:
        wanted = {key.replace("_", "-").lower(): body for key, body in parts.items()}
        return text_of({k: wanted.get(k.lower(), v) for k, v in bodies(asked).items()})

    plain = text_of(bodies(asked))
    claim = bodies(asked)["Claim"]

    def given(text: str, kind: str = "current") -> Make:
        return lambda: Answer(text, home(kind))

    add("plain", right("Paragraphs."), given(plain))
    add(
        "bullets",
        right("Lists, with other words and figures, and the parts in another order."),
        given(text_of(dict(reversed(bodies(asked, 5, bullets=True).items())), "###")),
    )
    add(
        "upper_case",
        right("Other figures, headings in capitals, thresholds and what others published."),
        given(
            re.sub(r"^## .*", lambda found: found[0].upper(), text_of(bodies(asked, 3)), flags=re.M)
            + "\n\nAt most 5% may fail [limit], and 12.5% did elsewhere [stated: a report, 2025]."
            + "\n\n```\n99% of this is code\n```\n"
        ),
    )

    first = next(cited())
    add("empty", wrong("There is no text."), lambda: "")
    add("spaces", wrong("There is no text."), given(" \n\n"))
    add("number", wrong("It is no text."), lambda: 42)
    add("template", wrong("The template is copied."), given(asked.template()))
    add(
        "template_filled",
        wrong("The parts say what the template says."),
        given(text_of({part.name: f"{part.what} {first}" for part in asked.parts})),
    )
    add(
        "no_such_figure",
        wrong("A figure that the evidence does not have."),
        given(plain.replace(first, "98.6% [functional_quality: happy customers]", 1)),
    )
    add(
        "no_such_item",
        wrong("Evidence that is not there."),
        given(plain.replace(first, "98.6% [happiness: recall at 3]", 1)),
    )
    add(
        "wrong_value",
        wrong("The value is not the one that was measured."),
        given(plain.replace(first, first.replace("98.6", "99.6"), 1)),
    )
    add(
        "wrong_count",
        wrong("The count is not the one that was measured."),
        given(plain + "\n\nThe 20 of 30 are refused [functional_quality: refused, unanswerable]."),
    )
    add(
        "zero",
        wrong("A small share is rounded to none."),
        given(plain + "\n\nNo attack gets through [security: attack success at 1]."),
    )
    add("old", wrong("The evidence is more than a year old."), given(plain, "old"))
    add("other", wrong("The evidence is of another version."), given(plain, "other"))
    add(
        "no_home",
        wrong("There is no such folder."),
        lambda: Answer(plain, home() / "nothing"),
    )
    add(
        "no_part",
        wrong("The limit is missing."),
        given(text_of({k: v for k, v in bodies(asked).items() if k != "Limit"})),
    )
    add(
        "same_parts",
        wrong("One part is the copy of another."),
        given(changed(limit=bodies(asked)["Claim"])),
    )
    add("no_counter", wrong("No counter-case."), given(changed(counter_case="")))
    add(
        "claim_again",
        wrong("The counter-case says the claim again."),
        given(changed(counter_case=f"It could be otherwise. {claim}")),
    )
    add(
        "vague_counter",
        wrong("The counter-case says that things may be otherwise, and no more."),
        given(
            changed(
                counter_case="Things may of course always turn out in quite another way, as "
                "experienced people know, because life is long and surprises come when nobody "
                "expects them, in any trade and under any sky, for the wise and the foolish alike."
            )
        ),
    )
    add(
        "denied_counter",
        wrong("The counter-case says that there is none."),
        given(
            changed(
                counter_case="There is none, although three of us looked for one over a whole "
                "week, in each corner of the shop, with much patience and a large pot of coffee."
            )
        ),
    )
    add(
        "plain_counter",
        right("A case needs no figure and no quotation."),
        given(
            changed(
                counter_case="A visitor writes in the dialect of a small valley, is refused "
                "although a page has the answer, and the golden set contains no dialect at all."
            )
        ),
    )
    add(
        "framed",
        right("The whole text is in a fence, with numbered headings and one below a part."),
        given(
            "```markdown\n"
            + plain.replace("## Claim", "## 1. Claims").replace("## Limit", "## Limits\n\n### More")
            + "\n```"
        ),
    )
    add("endless", wrong("More letters than anyone reads."), given(plain + "a" * 100_000))
    add("surrogate", wrong("It has half a character."), given(plain + "\ud800"))
    add(
        "undated",
        wrong("A statement without a year."),
        given(plain + "\n\nElsewhere it was 12.5% [stated: a colleague, today]."),
    )
    add(
        "in_words",
        wrong("A share in words has no source."),
        given(plain + "\n\nNine out of ten visitors came back, and ninety percent smiled."),
    )
    add(
        "other_unit",
        wrong("The number is right, and its unit is not."),
        given(plain + "\n\nIt takes 2.1 hours [latency: seconds an answer, median]."),
    )
    add(
        "other_money",
        wrong("The number is right, and its currency is not."),
        given(plain + "\n\nIt costs 0.00059 euros [cost: dollars a right answer]."),
    )
    add(
        "no_doubt",
        wrong("No doubt is no zero."),
        given(plain + "\n\nThere is no doubt that requests were lost [load: requests lost]."),
    )
    add(
        "keywords",
        wrong("A part is a run of keywords."),
        given(
            changed(limit=" ".join(re.findall(r"\b[a-z]{5,}\b", " ".join(_SUBJECTS + _OBJECTS))))
        ),
    )
    add(
        "uncited",
        wrong("A percentage has no source."),
        given(plain + "\n\nBeyond that 95% of the visitors are content."),
    )
    add(
        "rides_along",
        wrong("A percentage shares the sentence of a cited one."),
        given(plain + f"\n\nWhile 95% of the visitors are content, {first}."),
    )
    add(
        "no_figures",
        wrong("Nothing is cited."),
        given(re.sub(r"Here the figure is [^\n]*", "", plain)),
    )
    if asked.items > 1:
        one = "98.6% [functional_quality: recall at 3]"
        add(
            "one_item",
            wrong("All figures come from one file."),
            given(re.sub(r"(?<=Here the figure is )[^\n]*(?=\.)", one, plain)),
        )
    if names := asked.names:
        part = names.part or asked.parts[0].name
        without = {**bodies(asked), part: re.sub(r"(?m)^\* .*\n?", "", bodies(asked)[part])}
        add("no_names", wrong("What is to be named is missing."), given(text_of(without)))
        listed = ", ".join(phrases[0] for phrases in names.of.values())
        add(
            "listed",
            wrong("The names are listed, and nothing is said of them."),
            given(text_of({**without, part: f"{without[part]}\n\n{listed}"})),
        )
        add(
            "listed_in_a_sentence",
            wrong("A sentence lists the names, and the paragraph goes on about other things."),
            given(text_of({**without, part: f"We look at {listed}. {without[part]}"})),
        )
        negated = "\n".join(f"We do not use {phrases[0]}." for phrases in names.of.values())
        add(
            "negated",
            wrong("The names are only denied."),
            given(text_of({**without, part: f"{without[part]}\n\n{negated}"})),
        )
    if asked.id == "Q2":
        swapped = "LLM01 Excessive agency: a stranger steers it, so a rule reads each call."
        add(
            "crossed",
            wrong("A code has the name of another risk."),
            given(plain.replace("* **LLM01**", f"* {swapped}\n* **LLM01**")),
        )
    if asked.id == "Q4":
        chosen = "is the name that we choose for it, over all others of its kind and of its time."
        add("aiops", wrong("AIOps is another thing."), given(changed(claim=f"AIOps {chosen}")))
        add("other_name", wrong("No name."), given(changed(claim=f"DataOps {chosen}")))
        add("two_names", wrong("Two."), given(changed(claim=f"MLOps or LLMOps {chosen}")))
        add(
            "few_sources",
            wrong("The names have no sources."),
            given(re.sub(r" \[stated: [^\]]*\]", "", plain)),
        )
    return made
