"""`course workshop quizzes`: the quizzes as Markdown, from the files that the notebooks show."""

import argparse
import re
import sys
from collections.abc import Sequence
from string import ascii_uppercase

from helpers import outfile
from helpers.course.questions import Choice, QuizError, QuizQuestion, load, modules


def run(argv: Sequence[str]) -> int:
    """Print the quizzes, or write a file for each: 0, or 1 where that failed."""
    parser = argparse.ArgumentParser(
        prog="course workshop quizzes",
        description="Print the quizzes of modules as Markdown, to hand out or to paste elsewhere.",
        epilog="Exit status: 0 done, 1 there is no such quiz or a file could not be written, 2 bad "
        "use.",
    )
    parser.add_argument(
        "module", nargs="*", metavar="NN", help="modules, such as 01; without any, all"
    )
    parser.add_argument(
        "--out",
        type=outfile.folder,
        metavar="DIR",
        help="write a new file for each module into this folder",
    )
    parser.add_argument(
        "--with-answers",
        action="store_true",
        help="add the right choices at the end, and why each choice is right or wrong",
    )
    options = parser.parse_args(argv)
    try:
        pages = {
            number: as_markdown(number, load(number), answers=options.with_answers)
            for number in dict.fromkeys(one.zfill(2) for one in options.module or modules())
        }
    except QuizError as error:
        print(f"course workshop quizzes: {error}", file=sys.stderr)
        return 1
    if options.out is None:
        print("\n".join(pages.values()), end="")
        return 0
    kind = "answers" if options.with_answers else "quiz"
    try:
        options.out.mkdir(exist_ok=True)
        for number, page in pages.items():
            outfile.save(options.out / f"{number}-{kind}.md", page.encode("utf-8"))
    except OSError as error:
        print(
            f"course workshop quizzes: the folder {options.out} cannot be made: {error.strerror}. "
            "Name another folder.",
            file=sys.stderr,
        )
        return 1
    except outfile.OutError as error:
        print(f"course workshop quizzes: {error}", file=sys.stderr)
        return 1
    print(f"Wrote into {options.out}: {', '.join(f'{number}-{kind}.md' for number in pages)}.")
    return 0


def as_markdown(module: str, questions: Sequence[QuizQuestion], *, answers: bool) -> str:
    """One module's quiz; with `answers` the right letters and the reasons come below it."""
    lines = [f"# Quiz {module}"]
    for number, question in enumerate(questions, start=1):
        lines += ["", f"## Question {number}", "", _plain(question.question), ""]
        lines += [
            f"- [ ] {letter}. {_plain(choice.text)}" for letter, choice in _lettered(question)
        ]
    if answers:
        lines += ["", f"# Answers to quiz {module}"]
        for number, question in enumerate(questions, start=1):
            right = next(letter for letter, choice in _lettered(question) if choice.right)
            lines += ["", f"## Question {number}: {right}", ""]
            lines += [f"- {letter}. {_plain(choice.why)}" for letter, choice in _lettered(question)]
    return "\n".join(lines) + "\n"


def _lettered(question: QuizQuestion) -> list[tuple[str, Choice]]:
    return list(zip(ascii_uppercase, question.choices, strict=False))


def _plain(text: str) -> str:
    """A quiz is plain text: its signs are not markup, and its line ends are spaces."""
    return re.sub(r"([\\`*_<>\[\]|&~$])", r"\\\1", " ".join(text.split()))
