"""The loop from bad runs to a better agent: marks, examples, a mended index, a comparison."""

import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from helpers.agent import Agent, Caller
from helpers.agent.expected import Expected, expected_questions
from helpers.agent.retrieval import split_sentences
from helpers.evaluate import score_answer
from helpers.evaluate.compare import compare
from helpers.evaluate.text import states
from helpers.shop import Question, document, questions
from helpers.tracing.asking import Asked
from helpers.tracing.experiments import Experiment, Target

if TYPE_CHECKING:
    from langsmith import Client

SPLITS = ("seen", "unseen", "was right")
"""Bad wordings that may be looked at, bad wordings that may not, and good ones to stay good."""


@cache
def golden() -> Mapping[str, Question]:
    """The golden questions of the dev part, which the day's requests go back to, by id."""
    return {question.id: question for question in questions("dev")}


def states_the_facts(asked: Asked) -> bool | None:
    """Whether an answer holds the right facts; None where no golden question asks the same."""
    question = golden().get(asked.request.question or "")
    if question is None or asked.answer is None:
        return None
    return score_answer(question, asked.answer).right


def examples(asked: Iterable[Asked], *, most: int | None = None) -> list[dict[str, Any]]:
    """Examples of the wordings that went wrong, and of as many that went right, in three splits.

    One for each wording about a single fact; its run is named in the metadata. Requests with
    personal data are left out, and those of callers who behave oddly.

    Args:
        asked: what the agent answered.
        most: wordings that went wrong, and wordings that went right, at most.
    """
    wordings = {}
    for one in asked:
        question = golden().get(one.request.question or "")
        usual = not one.request.personal and one.request.caller == "ordinary"
        if usual and question is not None and question.kind == "single_fact":
            wordings[one.request.text] = one
    wrong, right = (
        [one for one in wordings.values() if states_the_facts(one) is mark]
        for mark in (False, True)
    )
    wrong = wrong[:most]
    parts = (wrong[::2], wrong[1::2], right[: most or len(wrong)])
    return [
        {
            "inputs": {"question": one.request.text},
            "outputs": {"golden": one.request.question},
            "metadata": {"run": str(one.run_id)},
            "split": split,
        }
        for split, part in zip(SPLITS, parts, strict=True)
        for one in part
    ]


def golden_examples(some: Iterable[Question]) -> list[dict[str, Any]]:
    """Examples of golden questions."""
    return [{"inputs": {"question": one.question}, "outputs": {"golden": one.id}} for one in some]


def target(agent: Agent) -> Target:
    """The agent as the target of an experiment: a question in, an answer out, nobody logged in."""

    def answer(inputs: dict[str, Any]) -> dict[str, Any]:
        messages: Any = {"messages": [("user", inputs["question"])]}
        thread = str(uuid.uuid4())  # each example is a conversation of its own
        state = agent.invoke(messages, {"configurable": {"thread_id": thread}}, context=Caller())
        return {"answer": state["messages"][-1].text}

    return answer


def answering_sentence(question: Question) -> str | None:
    """The first sentence of the question's document that states all required facts, if one does."""
    if question.document is None:
        return None
    for sentence in split_sentences(document(question.document).text):
        if all(any(states(sentence, fact) for fact in group) for group in question.required):
            return sentence
    return None


def taught(wordings: Iterable[tuple[str, Question]]) -> Expected:
    """The questions that the agent's index expects, with customers' wordings added.

    Args:
        wordings: what a customer asked, with the golden question that asks the same. Where no
            single sentence answers it, nothing is added.
    """
    found = {
        name: {sentence: list(asked) for sentence, asked in sentences.items()}
        for name, sentences in expected_questions().items()
    }
    for wording, question in wordings:
        sentence = answering_sentence(question)
        if question.document is not None and sentence is not None:
            found.setdefault(question.document, {}).setdefault(sentence, []).append(wording)
    return found


def by_split(
    client: "Client", dataset: str, before: Experiment, after: Experiment
) -> list[dict[str, Any]]:
    """Two experiments on a dataset, compared example by example, as rows: one for each split."""
    rows = []
    for split in SPLITS:
        ids = [str(one.id) for one in client.list_examples(dataset_name=dataset, splits=[split])]
        if ids:
            pair = compare(
                {key: before.verdicts[key] for key in ids},
                {key: after.verdicts[key] for key in ids},
            )
            rows.append(
                {
                    "split": split,
                    "before": str(pair.before),
                    "after": str(pair.after),
                    "lost": pair.lost,
                    "gained": pair.gained,
                }
            )
    return rows
