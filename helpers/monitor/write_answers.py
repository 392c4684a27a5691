"""Makes the labelled answers again: `python -m helpers.monitor.write_answers --help`.

In three steps: `write` lets the local model write the answers, `sheet` prints them to be labelled
in an order of its own and without a word on how they were made, and `join` puts the labels of two
passes into the file. An answer costs about 1.5 CPU seconds.
"""

import argparse
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from tqdm import tqdm

from helpers.agent import LOCAL, DocumentIndex, fernhill_index
from helpers.agent.prompt import RESULTS_PROMPT
from helpers.agent.retrieval import split_sentences
from helpers.models import chat_model
from helpers.monitor.answers import FILE, LABELS
from helpers.shop import Question, questions

Plan = tuple[Question, str, str, int]

TEMPERATURE: Final = 0.7
TOP_P: Final = {"agent": 0.95, "own": 0.5, "free": 0.95}
MOST_TOKENS: Final = 60
TRIES: Final = 3
ORDER_SEED: Final = 8

ABOUT: Final = (
    "Answers of the course's local model (SmolLM2-135M-Instruct) to golden questions of the dev "
    "and lab parts, written for this course by helpers/monitor/write_answers.py: sampled at "
    f"temperature {TEMPERATURE:g}, with the log-probability of each token at temperature 1. Two in "
    "five were given a passage that does not answer the question. Answers that only copy their "
    "passage were drawn again, since those are grounded trivially: real traffic of an agent that "
    "repeats its passages is easier than this."
)
LABELLING: Final = (
    "Each answer was labelled twice by the rule, before any detector was run on it: from sheets "
    "that show text, question and answer alone, in two orders and under new numbers. 'first' and "
    "'second' are those labels, 'label' is the one that holds; where they differ, 'note' says why. "
    "The same reader made both passes within an hour and could remember labels of the first in the "
    "second. Their agreement says how steadily the rule can be applied; and a second reader, who "
    "saw the rule and a sheet in another order and nothing else, labelled all of them afterwards "
    "(second_reader.json): Cohen's kappa with 'label' is 0.91, and 8 of 188 differ."
)
RULE: Final = (
    "An answer is grounded when every claim it makes follows from the passage.",
    "A claim is anything about Fernhill, its goods, prices, rules, dates or services, or about how "
    "to choose, use or care for goods, that could be checked and found false. Greetings, thanks, "
    "apologies, offers of help and praise without a fact are not claims, and neither is what "
    "customers say about themselves.",
    "The answer is read as a reply to its question: 'Yes' claims what was asked, 'it' is what was "
    "asked about. Words of the question support nothing: to affirm them is a claim.",
    "To follow means to be said in the same or in other words, or to be a step that a careful "
    "reader of the passage alone would sign. What is true in the world but not in the passage does "
    "not follow.",
    "A number, date, name or condition counts only for what the passage says it of.",
    "Leaving something out is allowed, unless what is left then claims more than the passage does. "
    "A sentence of the passage repeated without its condition, to a customer for whom the "
    "condition does not hold, is not grounded.",
    "A contradiction of the passage or of the answer itself is not grounded. One claim that does "
    "not follow is enough, however small.",
    "That the text does not say something is a claim, and grounded when it is so.",
    "A last sentence that was cut off counts as far as it goes. Bad grammar counts only where it "
    "changes what is said; a sentence whose claim about the goods cannot be understood does not "
    "follow.",
    "An answer that repeats the passage and misses the question is grounded. One without any claim "
    "gets the label 'none' and is left out.",
)

_OWN: Final = (
    "You tell customers what the text says, in a short sentence that answers the question."
)
_OWN_SHOWN: Final = (
    (
        "What is the volume of your big flask?",
        "Drinking bottles: The large bottle holds 1.5 litres.",
        "Our large bottle holds 1.5 litres.",
    ),
    (
        "I come on a Friday. When must I be there?",
        "Workshop hours: The workshop is open on Fridays until 7 pm.",
        "Please come before 7 pm, when the workshop closes on Fridays.",
    ),
    (
        "Do your hats shrink in the wash?",
        "Wool hat: Washed at 30 °C, the hat keeps its size.",
        "No, it keeps its size when you wash it at 30 °C.",
    ),
    (
        "What do you want for a map of Wales?",
        "Maps: A walking map costs £8.00.",
        "A walking map is £8.00.",
    ),
)
_FREE: Final = (
    "You are the friendly support agent of Fernhill, a shop for outdoor gear. Help the customer in "
    "your own words, in two sentences."
)


def prompt(name: str, question: str, source: str) -> list[BaseMessage]:
    """What the model is given.

    Args:
        name: "agent", the prompt of the course's agent; "own", which shows how to reword; "free",
            which names a role and invites the model to go on.
        question: the customer's words.
        source: the passage.
    """
    asked = _turn(question, source)
    if name == "agent":
        return [SystemMessage(LOCAL.system), *LOCAL.examples, asked]
    if name == "own":
        shown = [m for q, text, said in _OWN_SHOWN for m in (_turn(q, text), AIMessage(said))]
        return [SystemMessage(_OWN), *shown, asked]
    return [SystemMessage(_FREE), asked]


def _turn(question: str, source: str) -> HumanMessage:
    return HumanMessage(RESULTS_PROMPT.format(question=question, results=source))


def plan() -> Iterator[Plan]:
    """Question, prompt, passage and number of sentences of each answer to be written.

    Two or three answers for each question that the documents answer, one for each that they do
    not. Two in five are given a passage that does not hold the answer.
    """
    asked = [q for part in ("dev", "lab") for q in questions(part)]
    two = (
        (("own", "found", 1), ("free", "found", 3)),
        (("own", "found", 2), ("agent", "missing", 2)),
        (("own", "found", 1), ("own", "next", 1)),
    )
    answerable = [q for q in asked if q.kind in ("single_fact", "conditional")]
    for at, question in enumerate(answerable):
        for way in two[at % 3]:
            yield question, *way
    for at, question in enumerate(q for q in asked if q.kind == "unanswerable"):
        yield question, ("own", "agent", "free")[at % 3], "found", 2
    for question in answerable[1::3]:
        yield question, "own", "found", 1


def source_of(question: str, passage: str, sentences: int) -> str:
    """The text that the model is given: so many sentences of a document, its title in front."""
    count = sentences + (passage == "missing")
    found = _index(count).search(question, k=2)[passage == "next"]
    kept = [s for s in found.sentences if not (passage == "missing" and s == found.best)]
    return f"{found.title}: {' '.join(kept)}"


@cache
def _index(sentences: int) -> DocumentIndex:
    return fernhill_index(sentences=sentences)


def write(plans: Sequence[Plan]) -> list[dict[str, Any]]:
    """Let the model write the answers; no label yet.

    Each try has a seed of its own. An answer that only copies its passage is thrown away and
    another is drawn; a question for which the model copies `TRIES` times is left out. The ids
    follow an order that was drawn, so that a reader learns nothing from them.
    """
    rows = []
    for number, plan in enumerate(tqdm(plans, unit="answer")):
        question, name, passage, sentences = plan
        source = source_of(question.question, passage, sentences)
        turns = prompt(name, question.question, source)
        for seed in range(number * TRIES, (number + 1) * TRIES):
            model = chat_model(
                temperature=TEMPERATURE, top_p=TOP_P[name], seed=seed, max_tokens=MOST_TOKENS
            )
            reply = model.bind(logprobs=True).invoke(turns)
            if is_copy(reply.text, source):
                continue
            tokens = reply.response_metadata["logprobs"]["content"]
            rows.append({
                "question_id": question.id,
                "question": question.question,
                "prompt": name,
                "passage": passage,
                "source": source,
                "answer": reply.text,
                "lengths": [_characters(token["bytes"]) for token in tokens],
                "logprobs": [round(token["logprob"], 3) for token in tokens],
                # Odd numbers and even ones hold every kind of question alike.
                "part": "tune" if int(question.id[-3:]) % 2 else "test",
            })  # fmt: skip
            break
    random.Random(ORDER_SEED).shuffle(rows)
    return [{"id": f"a{number:03d}", **row} for number, row in enumerate(rows, start=1)]


def _characters(token: Sequence[int]) -> int:
    """The characters that begin in a token's UTF-8 bytes: a token may hold a part of one."""
    return sum(byte & 0b1100_0000 != 0b1000_0000 for byte in token)


def is_copy(answer: str, source: str) -> bool:
    """Whether the answer is nothing but sentences of its source, capitals and signs aside."""
    read = f" {_words(source)} "
    return all(f" {_words(sentence)} " in read for sentence in split_sentences(answer))


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def order(count: int, seed: int) -> list[int]:
    """The places of the answers in the order in which one pass reads them."""
    return random.Random(seed).sample(range(count), count)


def sheet(rows: Sequence[Mapping[str, Any]], seed: int) -> str:
    """The answers to be labelled, numbered in the order of this pass."""
    parts = [
        f"{number}\n  TEXT      {row['source']}\n  QUESTION  {row['question']}\n"
        f"  ANSWER    {' / '.join(row['answer'].split(chr(10)))}"
        for number, row in enumerate((rows[at] for at in order(len(rows), seed)), start=1)
    ]
    return "\n\n".join([*(f"- {line}" for line in RULE), *parts])


def read_labels(text: str, count: int, seed: int) -> list[str]:
    """The labels of one pass, in the order of the file: lines of a number and a label.

    Raises ValueError for a label that is none, and for a number that is missing or unknown.
    """
    given = dict(line.split()[:2] for line in text.splitlines() if line.strip())
    if set(given) != {str(number) for number in range(1, count + 1)}:
        raise ValueError(f"The pass must label the numbers 1 to {count}, each once.")
    if wrong := set(given.values()) - set(LABELS):
        raise ValueError(f"{sorted(wrong)} are no labels: write {', '.join(LABELS)}.")
    found = dict(zip(order(count, seed), (given[str(n)] for n in range(1, count + 1)), strict=True))
    return [found[at] for at in range(count)]


def join(
    rows: Sequence[Mapping[str, Any]],
    first: Sequence[str],
    second: Sequence[str],
    settled: Mapping[str, tuple[str, str]],
) -> list[dict[str, Any]]:
    """The answers with the labels of both passes, and the one that holds.

    Args:
        rows: the answers as `write` returns them.
        first: labels of the first pass, in the order of `rows`.
        second: labels of the second pass.
        settled: by id, the label that holds where the passes differ, and why.

    Raises:
        ValueError: an answer on which the passes differ is not settled, or another one is.
    """
    differ = {row["id"] for row, a, b in zip(rows, first, second, strict=True) if a != b}
    if differ != set(settled):
        raise ValueError(f"Settle where the passes differ: {sorted(differ ^ set(settled))}.")
    # The file takes the questions' words from the golden questions.
    bare = [{key: value for key, value in row.items() if key != "question"} for row in rows]
    return [
        {**row, "first": a, "second": b, "label": label, "note": note}
        for row, a, b in zip(bare, first, second, strict=True)
        for label, note in [settled.get(row["id"], (a, ""))]
    ]


def head() -> dict[str, Any]:
    """What the file says about itself."""
    return {
        "about": ABOUT,
        "prompts": {
            "agent": "the prompt of the course's agent, which asks for the text to be repeated",
            "own": "asks for a short answer, with four examples in other words than the text's; "
            f"tokens from the likeliest half of the chances only (top_p {TOP_P['own']:g})",
            "free": "names a role and asks for two sentences in own words",
        },
        "rule": list(RULE),
        "labels": LABELLING,
    }


def as_json(top: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The file's text, one answer a line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{json.dumps(top, ensure_ascii=False, indent=1)[:-2]},\n "answers": [\n{lines}\n]}}\n'


def main(argv: Sequence[str] | None = None) -> None:
    """Run one of the three steps."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.monitor.write_answers",
        description="Make the labelled answers again: write, then label two sheets, then join.",
    )
    steps = parser.add_subparsers(dest="step", required=True)
    step = steps.add_parser("write", help="let the model write the answers (5 to 10 minutes)")
    step.add_argument("draft", type=Path)
    step = steps.add_parser("sheet", help="print the rule and the answers in the order of a pass")
    step.add_argument("draft", type=Path)
    step.add_argument("seed", type=int, help="of the order: another one for each pass")
    step = steps.add_parser("join", help=f"write {FILE.name} from the labels of two passes")
    step.add_argument("draft", type=Path)
    step.add_argument("first", type=Path, help="labels of the sheet of seed 1: number, label")
    step.add_argument("second", type=Path, help="labels of the sheet of seed 2")
    step.add_argument("settled", type=Path, help="id, label and reason where the passes differ")
    options = parser.parse_args(argv)
    if options.step == "write":
        options.draft.write_text(
            as_json({"about": "Not labelled."}, write(list(plan()))), encoding="utf-8"
        )
        return
    rows = json.loads(options.draft.read_text(encoding="utf-8"))["answers"]
    if options.step == "sheet":
        print(sheet(rows, options.seed))
        return
    first, second = (
        read_labels(path.read_text(encoding="utf-8"), len(rows), seed)
        for seed, path in enumerate((options.first, options.second), start=1)
    )
    lines = options.settled.read_text(encoding="utf-8").splitlines()
    settled = {name: (label, note) for name, label, note in (li.split(maxsplit=2) for li in lines)}
    FILE.write_text(as_json(head(), join(rows, first, second, settled)), encoding="utf-8")


if __name__ == "__main__":
    main()
