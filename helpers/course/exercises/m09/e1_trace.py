"""Exercise 09.1: a pipeline is traced across threads and tasks."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, exercise, satisfies
from helpers.course.exercises.m09 import given, pipeline
from helpers.course.exercises.m09.pipeline import (
    ACCENTS,
    ALIKE,
    ALIKE_TOO,
    PADDED,
    SILENT,
    STOVE,
    TENT,
    TREE,
    TWINS,
    Question,
    Seen,
)


@exercise(
    "09.1",
    title="Trace a pipeline across threads",
    starter=given.answer,
    hints=[
        "@traceable above a function, plain or async, makes each call of it a run. For a function"
        " that is an argument, call traceable yourself: traceable(...)(documents).",
        Hint(
            '@traceable("retriever", name="documents"): the run type comes first, and without a'
            " name the run is named after its function.",
            "tree",
        ),
        Hint(
            "ThreadPoolExecutor starts threads with an empty context, so their runs do not know"
            " their parent. ContextThreadPoolExecutor from langsmith.utils takes the same arguments"
            " and brings the context along.",
            "below",
        ),
        Hint(
            "Both await loop.run_in_executor(pool, search, question) and asyncio.gather leave the"
            " event loop free. pool.map and a future's result() block it until the searches end.",
            "threads",
        ),
        Hint(
            "In draft, after the reply: get_current_run_tree() gives its run."
            " run.add_metadata({...}) takes source and ls_model_name, run.set(usage_metadata={...})"
            " takes input_tokens, output_tokens and total_tokens.",
            "usage",
        ),
        Hint("With tracing off, get_current_run_tree() returns None.", "off"),
        Hint(
            "Compare with the given code: add only what tracing needs, and change nothing else.",
            "works",
        ),
    ],
)
def trace(answer: pipeline.Pipeline) -> Iterator[Case]:
    """The tree, the drafts' figures, and a pipeline that works as before."""
    pipeline.prepare()

    def case(
        name: str,
        of: Callable[[Seen], Any],
        expect: Any,
        *rounds: Sequence[Question],
        show: str,
        about: str,
        slips: Sequence[Slip] = (),
        **how: Any,
    ) -> Case:
        async def call() -> Any:
            return of(await pipeline.tried(answer, *rounds, **how))

        return Case(name, call=call, expect=expect, show=show, slips=slips, about=about)

    ask = "await answer({!r}, documents, orders, model)"
    one, other = ask.format(TENT.text), ask.format(STOVE.text)
    yield case(
        "one question: where its runs are",
        lambda seen: seen.tree,
        satisfies(
            "one run at the top, and four directly below it",
            lambda got: [_depth(line) for line in got] == [_depth(line) for line in TREE],
        ),
        [TENT],
        show=one,
        about="below",
        slips=[
            Slip.value("untraced", [], "Nothing was traced: answer itself has to be a run."),
            Slip.when(
                "torn",
                lambda got: (
                    "answer: chain" in got
                    and "  documents: retriever" not in got
                    and not any("look_up" in line or _name(line) == "  documents" for line in got)
                ),
                "The searches are not below answer: the threads of a plain pool begin with an empty"
                " context, in which tracing may be off, and there is no parent.",
            ),
            Slip.when(
                "no-root",
                lambda got: _at_top(got) > 1,
                "Each step is a trace of its own, because answer itself is not a run.",
            ),
            Slip.when("twice", lambda got: len(got) > len(TREE), "Something is traced twice."),
        ],
    )
    yield case(
        "one question: its whole tree",
        lambda seen: seen.tree,
        list(TREE),
        [TENT],
        show=one,
        about="tree",
        slips=[
            Slip.when(
                "types",
                lambda got: [_name(line) for line in got] == [_name(line) for line in TREE],
                "The tree is right. Look at the run types.",
            ),
            Slip.when(
                "names",
                lambda got: (
                    [_type(line) for line in sorted(got)] == [_type(line) for line in TREE]
                    or any("look_up" in line or "ask_warehouse" in line for line in got)
                ),
                "Look at the names: the functions that are passed in have names of their own.",
            ),
        ],
    )
    yield case(
        "what the drafts report, of two questions one after another",
        lambda seen: seen.drafts,
        sorted([TENT.drafts, STOVE.drafts], key=repr),
        [TENT],
        [STOVE],
        show=f"{one}, then {other}",
        about="usage",
        slips=[
            Slip.when(
                "no-source",
                lambda got: any("None" in drafts for drafts in got),
                'The metadata of a draft have no source: "documents" or "orders".',
            ),
            Slip.when(
                "no-usage",
                lambda got: not any(_has_figures(one) for drafts in got for one in drafts.values()),
                "The drafts report no tokens.",
            ),
            Slip.when(
                "no-model",
                lambda got: all(
                    not one["ls_model_name"] for drafts in got for one in drafts.values()
                ),
                "The metadata of the drafts have no ls_model_name.",
            ),
            Slip.when(
                "constant",
                lambda got: len({_figures(one) for drafts in got for one in drafts.values()}) == 1,
                "All drafts report the same figures. Each has a reply of its own.",
            ),
        ],
    )
    yield case(
        "two questions at the same time",
        lambda seen: [seen.tree, seen.drafts],
        [[*TREE, *TREE], sorted([TENT.drafts, STOVE.drafts], key=repr)],
        [TENT, STOVE],
        show=f"asyncio.gather of {one} and {other}",
        about="tree",
    )
    below = [f"  {line}" for line in TREE]
    yield case(
        "inside a traced function",
        lambda seen: seen.tree,
        ["day: chain", *below, "day: chain", *below, *below],
        [STOVE, TENT],
        [TENT],
        within="day",
        show=f"asyncio.gather of {one} and {other}, in a function under @traceable, which is then"
        f" called once more, for {one}",
        about="tree",
    )
    yield case(
        "with tracing off",
        lambda seen: [seen.answers, seen.tree],
        [["It left on Monday.", "On its way to you."], []],
        [TENT, STOVE],
        tracing=False,
        show=f"with tracing_context(enabled=False): {one}",
        about="off",
        slips=[
            Slip.raises(
                "no-run", AttributeError, "With tracing off there is no current run: it is None."
            ),
            Slip.when("still-traced", lambda got: got[1] != [], "Runs were written all the same."),
        ],
    )
    rounds = (
        [TENT],
        [STOVE, ALIKE, ALIKE_TOO],
        [SILENT, PADDED],
        [ACCENTS, TWINS, ACCENTS],
        [TENT],
    )
    asked = [question for questions in rounds for question in questions]
    yield case(
        "the answers",
        lambda seen: seen.answers,
        [max((reply.text for reply in question.replies), key=len) for question in asked],
        *rounds,
        show=f"{one}, then others",
        about="works",
    )
    yield case(
        "what is called, and how often",
        lambda seen: seen.calls,
        sorted(call for question in asked for call in _calls(question)),
        *rounds,
        same_functions=True,
        show=f"{one}, then others, with the same functions",
        about="works",
    )
    yield case(
        "the searches run at the same time, and so do the drafts",
        lambda seen: seen.answers,
        ["It left on Monday.", "On its way to you."],
        [TENT, STOVE],
        together=True,
        show=f"asyncio.gather of {one} and {other}, with searches and a model that wait for each"
        " other",
        about="threads",
        slips=[
            Slip.raises(
                "one-after-another",
                pipeline.OneAfterAnother,
                "Run the searches in two threads, and the drafts as two tasks. Meanwhile nothing"
                " may block the event loop.",
            ),
            Slip.raises(
                "not-in-a-thread",
                pipeline.NotInAThread,
                "The searches are plain functions: in the event loop's thread they block it.",
            ),
        ],
    )
    for fails, name in [
        ("documents", "documents"),
        ("orders", "orders"),
        ("draft of documents", "draft"),
        ("draft of orders", "draft"),
    ]:
        question = Question(TENT.text, TENT.found, TENT.replies, fails)
        calls = [call for call in _calls(question) if name == "draft" or call[0] != "model"]
        yield case(
            f"an error: {fails}",
            lambda seen, fails=fails, calls=calls: {  # type: ignore[misc]
                "answer": seen.answers[0],
                "runs with the error": seen.failed(f"OutOfOrder('{fails}')"),
                "calls too many": sorted((Counter(seen.calls) - Counter(calls)).elements()),
            },
            {
                "answer": f"raised {fails}",
                "runs with the error": sorted(["answer", name]),
                "calls too many": [],
            },
            [question],
            show=f"{one}, where {fails} raises OutOfOrder({fails!r})",
            about="works",
        )


def _calls(question: Question) -> list[tuple[str, str]]:
    searches = [("documents", question.text), ("orders", question.text)]
    return [*searches, *(("model", prompt) for prompt in question.prompts)]


def _at_top(lines: Sequence[str]) -> int:
    return sum(not line.startswith(" ") for line in lines)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _name(line: str) -> str:
    return line.partition(":")[0]


def _type(line: str) -> str:
    return line.partition(":")[2]


def _has_figures(reported: dict[str, Any]) -> bool:
    return "total_tokens" in reported or "input_tokens" in reported


def _figures(reported: dict[str, Any]) -> str:
    return repr([value for name, value in reported.items() if name.endswith("_tokens")])
