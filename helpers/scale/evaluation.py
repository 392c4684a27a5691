"""`course ray eval`: the golden questions shared out to workers, with the scores of `course eval`.

Each worker is an actor with an agent and a model of its own. What the agent did with a question may
depend on what the same customer did before (a refund changes the order book), so the questions of
one customer go to one worker, in their order, with an order book of their own. Only the numbers of
tickets differ from a run one after another.

Answers are kept as they come, as of this version of the agent (see `helpers.evaluate.stored`): a
run that was interrupted goes on where it stopped. What a worker was asked when it died is asked
again of another.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from helpers.agent import build_agent, fernhill_index
from helpers.agent.build import MOST_TOKENS, Agent, style_of
from helpers.columns import aligned
from helpers.evaluate.runs import Run, ask
from helpers.evaluate.stored import Item, Step, StoredRunError, command
from helpers.evaluate.stored_answers import as_item, as_run
from helpers.evaluate.version import AGENT, Version, current_version
from helpers.models import bulk_run, chat_model
from helpers.models.errors import ModelError, OverBudget
from helpers.models.guard import Spending, budget_usd
from helpers.models.prices import cost
from helpers.paths import runs_dir
from helpers.scale.errors import RayError
from helpers.scale.workers import add_workers, adopt, cluster, course_settings
from helpers.shop import Question, questions
from helpers.shop.questions import Part

TRIES = 2
"""Workers that may die of the same questions before these are given up."""

Agents = Callable[[], Callable[[], Agent]]
"""Made once in each worker: gives an agent with an order book of its own at each call."""
Progress = Callable[[Iterable[str]], Iterable[str]]


def fernhill_agents() -> Callable[[], Agent]:
    """Fernhill's agents: they share a model and an index."""
    model = chat_model(max_tokens=MOST_TOKENS)
    style = style_of(model)
    index = fernhill_index(sentences=style.sentences)
    return lambda: build_agent(model=model, style=style, retriever=index)


def evaluate(
    asked: Sequence[Question],
    name: str,
    *,
    workers: int = 2,
    agents: Agents = fernhill_agents,
    version: Version | None = None,
    say: Callable[[str], None] = print,
    progress: Progress = iter,
) -> list[Run]:
    """Ask the questions on the cluster that this process is connected to; the runs in their order.

    Args:
        asked: the questions.
        name: of the file of answers in `.course/runs`, such as "06-eval-dev".
        workers: how many actors ask.
        agents: makes the agents in a worker.
        version: of the agent (`current_version()`); answers of another are asked again.
        say: gets the sentence that says which answers were read.
        progress: wraps the ids as they are answered, in this order (`tqdm` fits, with `total`).

    Raises:
        RayError: a worker could not start.
        OverBudget: the budget for a hosted model is used up; what was answered is kept.
        StoredRunError: the file of answers cannot be read.
    """
    if workers < 1:
        raise ValueError(f"{workers} workers cannot ask anything: give at least one.")
    of = version or current_version().only(AGENT)
    step = Step(name, version=of, live=True, say=say)
    kept = step.begun()
    by_id = {question.id: question for question in asked}
    chains = [
        chain for chain in by_customer(asked) if not all(question.id in kept for question in chain)
    ]
    # A customer's later question depends on the earlier ones, so these are asked once more.
    again = {question.id for chain in chains for question in chain}
    step.forget(again)
    found: dict[str, Item] = {}

    def answered(keys: Iterable[str]) -> Iterator[str]:
        yield from (key for key in keys if key not in again)
        if not chains:
            return
        with bulk_run(chat_model(), calls=2 * len(again), input_tokens=600, output_tokens=80) as b:
            for items in _ask(chains, workers, agents):
                for key, item in items.items():
                    found[key] = item
                    yield key
                _within_budget(b, items.values())

    items = step.answers(
        list(by_id),
        lambda key: found[key],
        keep=lambda item: item.content.get("status", "ok") == "ok",
        progress=lambda keys: progress(answered(keys)),
    )
    return [as_run(question, item) for question, item in zip(asked, items, strict=True)]


def by_customer(asked: Sequence[Question]) -> list[list[Question]]:
    """The questions of each customer, in their order; one alone where nobody is logged in."""
    found: dict[str, list[Question]] = {}
    for question in asked:
        found.setdefault(question.customer or question.id, []).append(question)
    return list(found.values())


class _Worker:
    """An actor that holds a model, and asks one customer's questions at a time."""

    def __init__(self, agents: Agents, settings: Mapping[str, str]) -> None:
        adopt(settings)
        self._agent = agents()

    def ask(self, asked: Sequence[Question]) -> dict[str, Item]:
        agent = self._agent()
        return {question.id: as_item(ask(agent, question)) for question in asked}


def _ask(
    chains: Sequence[list[Question]], workers: int, agents: Agents
) -> Iterator[dict[str, Item]]:
    """The answers to each chain of questions, in the order in which they come."""
    import ray

    settings = course_settings()
    waiting = [(chain, 1) for chain in reversed(chains)]
    actor: Any = ray.remote(num_cpus=0.5)(_Worker)
    free = [actor.remote(agents, settings) for _ in range(min(workers, len(chains)))]
    busy: dict[Any, tuple[Any, list[Question], int]] = {}
    while waiting or busy:
        while free and waiting:
            worker, (chain, tries) = free.pop(), waiting.pop()
            busy[worker.ask.remote(chain)] = (worker, chain, tries)
        (done, *_), _ = ray.wait([*busy])
        worker, chain, tries = busy.pop(done)
        try:
            yield cast(dict[str, Item], ray.get(done))
            free.append(worker)
        except ray.exceptions.RayActorError as died:
            if died.actor_init_failed:
                raise _useless(died) from died
            free.append(actor.remote(agents, settings))
            if tries < TRIES:
                waiting.append((chain, tries + 1))
            else:
                yield {question.id: _given_up(question) for question in chain}
        except ray.exceptions.RayError as error:
            raise _useless(error) from error


def _useless(error: Exception) -> RayError:
    return RayError(
        f"A worker cannot ask ({str(error).strip().splitlines()[-1]}): run `course eval`, which"
        " asks without Ray, to see why."
    )


def _given_up(question: Question) -> Item:
    error = f"WorkerDied: {TRIES} workers died of it."
    return as_item(Run(question.id, "", status="error", error=error))


def _within_budget(spending: Spending | None, items: Iterable[Item]) -> None:
    """Add what the workers spent; raise OverBudget where nothing is left for the next question."""
    if spending is None or (budget := budget_usd()) is None:
        return
    usages = [item.content["usage"] for item in items if item.content["usage"]]
    spending.usd += sum(cost(os.environ.get("COURSE_MODEL", ""), usage) for usage in usages)
    if spending.usd >= budget:
        raise OverBudget(
            f"Stopped at ${spending.usd:.2f} of the budget of ${budget:.2f}: set COURSE_BUDGET_USD"
            " higher, and run this again. What was answered is kept."
        )


def main(argv: Sequence[str]) -> int:
    """`course ray eval`: 0 when every question was answered; else 1, with the reason."""
    from tqdm import tqdm

    from helpers.evaluate.scores import score  # with intervals, and so: nothing for a worker
    from helpers.evaluate.summary import as_rows, summarise

    options = _parser().parse_args(argv)
    part: Part = options.part
    name, asked = f"06-eval-{part}", questions(part)

    def say(text: str) -> None:
        print(text.replace(command(name), f"course ray eval --part {part}"), file=sys.stderr)

    def bar(ids: Iterable[str]) -> Iterable[str]:
        return tqdm(ids, total=len(asked), desc=part, unit="question", file=sys.stderr)

    try:
        with cluster(options):
            if options.anew:
                (runs_dir() / f"{name}.json.gz").unlink(missing_ok=True)
            runs = evaluate(asked, name, workers=options.workers, say=say, progress=bar)
    except (ModelError, StoredRunError, ValueError) as problem:
        print(f"course ray eval: {problem}", file=sys.stderr)
        return 1
    scores = [score(question, run) for question, run in zip(asked, runs, strict=True)]
    summary = summarise(scores, runs)
    rows = as_rows(summary)
    print(f"{len(asked)} questions of {part}; rates with 95% intervals (Wilson) and counts\n")
    print("\n".join(aligned([[*rows[0]], *([str(cell) for cell in row.values()] for row in rows)])))
    for run in runs:
        if run.status != "ok":
            print(f"{run.question_id}: {run.error}", file=sys.stderr)
    return int(bool(summary.all.errors + summary.all.timeouts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="course ray eval", description="Score the agent on the golden questions, on Ray."
    )
    parts = ("dev", "heldout", "heldout2")
    parser.add_argument("--part", "--set", choices=parts, default="dev", help="which (dev)")
    parser.add_argument("--anew", action="store_true", help="ask again what was answered before")
    add_workers(parser, "ask")
    return parser
