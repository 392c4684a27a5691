"""Exercise 10.6: middleware that cuts the cost of a right answer of the running agent."""

from collections.abc import Iterator
from typing import Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise, satisfies


@exercise(
    "10.6",
    title="The gate: a tenth of the price",
    gate=True,
    hints=[
        "Print the messages of one question. Which call of the model writes, and what does its"
        " answer add to what the tool has returned?",
        Hint(
            "In wrap_model_call, look at request.messages[-1]. If it is a ToolMessage, the tool has"
            " done the work: return AIMessage(...) with its words, and the model is not called.",
            "cost",
            "made",
        ),
        Hint(
            "The artifact of search_documents is the list of passages; the best sentence of the"
            " first one is the answer. Tools for orders say it in their own text.",
            "right",
            "wrong",
        ),
        Hint(
            "An empty artifact means that nothing was found: answer with REFUSAL then. And a search"
            " of your own needs the threshold: below it the best sentence is no answer.",
            "wrong",
            "handed",
        ),
        Hint(
            "Behind a tier that costs next to nothing, a cache saves nothing. If you keep one: key"
            " it by the exact text, only for answers from documents, and make it inside cheaper.",
            "traps",
            "customers",
            "documents",
        ),
        Hint(
            "Choosing a tool costs no tokens. Let the model choose whenever the customer may want"
            " something done: handler(request).",
            "acts",
        ),
    ],
)
def cheaper(answer: Any) -> Iterator[Case]:
    """Forty unseen questions of an agent; pairs of questions, customers, actions, documents."""
    from langchain.agents.middleware import AgentMiddleware

    from helpers.course.exercises.m10 import gate

    tried = gate.Tried(answer)
    given, most = gate.given(), gate.most_for_right() * 1_000_000

    def middleware(made: Any) -> bool | str:
        if not made:
            return "The list is empty."
        others = [one for one in made if not isinstance(one, AgentMiddleware)]
        return f"{others[0]!r} is no middleware." if others else True

    def asked(name: str, expect: Expectation, about: str, *slips: Slip) -> Case:
        return Case(
            name,
            call=tried.found,
            expect=expect,
            show="the agent with cheaper(retriever, threshold)",
            slips=slips,
            limit=180,
            about=about,
            live=True,
        )

    yield Case(
        "middleware is made",
        call=tried.middleware,
        expect=satisfies("one middleware, or several", middleware),
        show="cheaper(retriever, threshold)",
        about="made",
        live=False,
    )
    yield asked(
        "what a right answer costs",
        Expectation(
            f"at most {most:.2f} micro-dollars, a tenth of what the given agent's costs",
            judge=gate.is_cheap,
            show=gate.told_of_cost,
        ),
        "cost",
        Slip.when(
            "model-writes",
            gate.model_writes,
            "The model still writes answers. Each costs as much as ten right answers may cost.",
        ),
    )
    yield asked(
        "right answers",
        Expectation(
            f"at least {gate.FEWEST_RIGHT} of {gate.REQUESTS}",
            judge=lambda found: gate.measured(found, found.figures.right >= gate.FEWEST_RIGHT),
            show=lambda found: f"{found.figures.right} right",
        ),
        "right",
    )
    yield asked(
        "wrong answers",
        Expectation(
            f"at most {given.wrong} of {gate.REQUESTS}, as many as the given agent's",
            judge=lambda found: gate.measured(found, found.figures.wrong <= given.wrong),
            show=lambda found: gate.told_of_outcome(found, "wrong"),
        ),
        "wrong",
        Slip.when(
            "answers-all",
            gate.answers_unanswerable,
            "Questions that the documents do not answer are answered with some sentence of theirs.",
        ),
    )
    yield asked(
        "hand-overs",
        Expectation(
            f"at most {gate.MOST_HANDED_OVER} of {gate.REQUESTS}",
            judge=lambda found: gate.measured(
                found, found.figures.handed_over <= gate.MOST_HANDED_OVER
            ),
            show=lambda found: gate.told_of_outcome(found, "handed over"),
        ),
        "handed",
    )
    yield asked(
        "nearly the same words",
        Expectation(
            f"{len(gate.TRAPS)} second questions answered, each with its own answer",
            judge=gate.no_trap,
            show=gate.told_of_traps,
        ),
        "traps",
        Slip.when(
            "served",
            lambda found: bool(found.served),
            "The answer to the first question was given to the second one, which asks for something"
            " else.",
        ),
    )
    yield asked(
        "customers and their orders",
        Expectation(
            "each order as it is, and to its own customer",
            judge=lambda found: gate.measured(found, not found.told and not found.stale),
            show=lambda found: "; ".join([*found.told, *found.stale]) or "nothing told",
        ),
        "customers",
        Slip.when(
            "told",
            lambda found: bool(found.told),
            "A customer was told about somebody else's order.",
        ),
        Slip.when(
            "stale",
            lambda found: any(one.endswith(gate.OLD) for one in found.stale),
            "An order has changed, and the answer is still the old one.",
        ),
    )
    yield asked(
        "what the agent does",
        Expectation(
            "two refunds and a ticket",
            judge=lambda found: gate.measured(found, not found.undone),
            show=lambda found: f"not done: {'; '.join(found.undone) or 'nothing'}",
        ),
        "acts",
    )
    yield asked(
        "an agent with other documents",
        Expectation(
            "answers from its own documents",
            judge=lambda found: gate.measured(found, not found.elsewhere),
            show=lambda found: "; ".join(found.elsewhere) or "its own",
        ),
        "documents",
    )
