import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import mean, median
from typing import Any

from langchain_core.language_models import BaseChatModel
from langsmith import Client, get_current_run_tree, traceable, tracing_context
from langsmith.schemas import Run

from helpers.agent import Retriever
from helpers.course.exercises.m09_given import (
    HOUSE_MODEL,
    NEAR_ENOUGH,
    Pipeline,
    Reply,
    house_model,
    prompt,
)
from helpers.tracing.analysis import quiet
from helpers.tracing.redact import RULES, redactor
from tests.wrong import wrong


def runs_of(client: Client, project: str, **options: Any) -> list[Run]:
    with quiet():
        return list(client.list_runs(project_name=project, **options))


# --- 09.1 -----------------------------------------------------------------------------------------


def report(reply: Reply) -> None:
    run = get_current_run_tree()
    assert run is not None
    usage = {"input_tokens": reply.read, "output_tokens": reply.written}
    run.set(usage_metadata={**usage, "total_tokens": reply.read + reply.written})  # type: ignore[typeddict-item]


@wrong("09.1", "no-op", "A comment is no trace.", says="Nothing was traced")
def untraced() -> object:
    class Untraced(Pipeline):
        """Traced, it says."""

    return Untraced


@wrong("09.1", "misreading", "Each step is traced, but the one that calls them.", says="own")
def without_a_root() -> object:
    class Rootless(Pipeline):
        documents = traceable(run_type="retriever")(Pipeline.documents)
        orders = traceable(run_type="tool")(Pipeline.orders)
        draft = traceable(run_type="llm")(Pipeline.draft)

    return Rootless


@wrong("09.1", "slip", "A plain pool's threads know no parent.", says="plain pool")
def plain_pool() -> object:
    class Torn(Pipeline):
        documents = traceable(run_type="retriever")(Pipeline.documents)
        orders = traceable(run_type="tool")(Pipeline.orders)
        answer = traceable(Pipeline.answer)

        @traceable(run_type="llm", metadata={"ls_model_name": HOUSE_MODEL})
        async def draft(self, question: str, found: str) -> str:
            reply = await house_model(f"{found}\n\n{question}")
            report(reply)
            return reply.text

    return Torn


@wrong("09.1", "slip", "Everything is a chain, and reports no tokens.", says="Look at the types")
def chains_only() -> object:
    class Chains(Pipeline):
        documents = traceable(Pipeline.documents)
        orders = traceable(Pipeline.orders)
        draft = traceable(Pipeline.draft)

        @traceable
        async def answer(self, question: str) -> str:
            found = [self.documents(question), self.orders(question)]
            drafts = await asyncio.gather(*(self.draft(question, text) for text in found))
            return max(drafts, key=len)

    return Chains


# --- 09.2 -----------------------------------------------------------------------------------------

Group = tuple[str, str, float, int]


def groups(runs: Sequence[Run], keys: Sequence[str]) -> dict[tuple[str, str], list[float]]:
    found = defaultdict(list)
    for run in runs:
        for key in keys:
            found[key, run.metadata[key]].append(float(run.total_cost or 0))
    return found


@wrong("09.2", "no-op", "The first key, and nothing.")
def no_group() -> object:
    def costly_group(client: Client, project: str, keys: Sequence[str]) -> Group:
        return keys[0], "", 0.0, 0

    return costly_group


@wrong("09.2", "misreading", "The largest sum is the most frequent value.", says="frequent")
def largest_sum() -> object:
    def costly_group(client: Client, project: str, keys: Sequence[str]) -> Group:
        runs = runs_of(client, project, is_root=True)
        found = groups(runs, keys)
        whole = sum(float(run.total_cost or 0) for run in runs)
        key, value = max(found, key=lambda one: sum(found[one]))
        return key, value, sum(found[key, value]) / whole, sum(r.total_cost is None for r in runs)

    return costly_group


@wrong("09.2", "misreading", "The largest mean is one request.", says="single huge request")
def largest_mean() -> object:
    def costly_group(client: Client, project: str, keys: Sequence[str]) -> Group:
        runs = [r for r in runs_of(client, project, is_root=True) if r.total_cost is not None]
        found = groups(runs, keys)
        key, value = max(found, key=lambda one: mean(found[one]))
        whole = sum(float(run.total_cost or 0) for run in runs)
        return key, value, sum(found[key, value]) / whole, 0

    return costly_group


@wrong("09.2", "slip", "No price is a cost of zero, in every run below too.", says="twice")
def unpriced_as_zero() -> object:
    def costly_group(client: Client, project: str, keys: Sequence[str]) -> Group:
        runs = [r for r in runs_of(client, project) if r.run_type in ("chain", "llm")]
        found = groups(runs, keys)
        whole = sum(float(run.total_cost or 0) for run in runs)
        key, value = max(
            found, key=lambda one: sum(found[one]) / whole - len(found[one]) / len(runs)
        )
        return key, value, sum(found[key, value]) / whole, sum(r.total_cost is None for r in runs)

    return costly_group


# --- 09.3 -----------------------------------------------------------------------------------------


def tools(client: Client, project: str) -> tuple[dict[str, list[float]], dict[str, list[bool]]]:
    seconds, errors = defaultdict(list), defaultdict(list)
    for run in runs_of(client, project, run_type="tool"):
        seconds[run.name].append(run.latency or 0.0)
        errors[run.name].append(run.error is not None)
    return seconds, errors


def judged(by: Callable[[list[float]], float], how: Callable[[list[bool]], float]) -> object:
    def suspects(client: Client, project: str) -> tuple[str, str]:
        seconds, errors = tools(client, project)
        slow = max(seconds, key=lambda name: by(seconds[name]))
        return slow, max(errors, key=lambda name: how(errors[name]))

    return suspects


@wrong("09.3", "no-op", "The model is no tool.", says="only tools")
def the_model() -> object:
    def suspects(client: Client, project: str) -> tuple[str, str]:
        return "chat", "chat"

    return suspects


@wrong("09.3", "misreading", "By the mean, and by the number of errors.", says="more errors")
def mean_and_count() -> object:
    return judged(mean, sum)


@wrong("09.3", "misreading", "By the median, and by the rate.", says="steady")
def median_and_rate() -> object:
    def suspects(client: Client, project: str) -> tuple[str, str]:
        well = [r for r in runs_of(client, project, run_type="tool") if r.error is None]
        seconds = defaultdict(list)
        for run in well:
            seconds[run.name].append(run.latency or 0.0)
        errors = tools(client, project)[1]
        slow = max(seconds, key=lambda name: median(seconds[name]))
        return slow, max(errors, key=lambda name: mean(errors[name]))

    return suspects


@wrong("09.3", "slip", "Time-outs counted as slow, one error of one as a rate.", says="time-outs")
def all_calls_and_rate() -> object:
    return judged(lambda taken: sorted(taken)[int(0.95 * len(taken)) - 1], mean)


# --- 09.4 -----------------------------------------------------------------------------------------


def complaints(client: Client, project: str) -> list[tuple[Run, dict[str, Any]]]:
    """Corrected complaints, the newest first."""
    bad = 'and(eq(feedback_key, "helpful"), eq(feedback_score, 0))'
    runs = runs_of(client, project, is_root=True, filter=bad)
    said = client.list_feedback(run_ids=[run.id for run in runs], feedback_key=["helpful"])
    right = {one.run_id: one.correction for one in said if isinstance(one.correction, dict)}
    ordered = sorted(runs, key=lambda run: run.start_time, reverse=True)
    return [(run, right[run.id]) for run in ordered if run.id in right]


def fill(client: Client, name: str, examples: list[dict[str, Any]]) -> None:
    if not client.has_dataset(dataset_name=name):
        client.create_dataset(name)
    client.create_examples(dataset_name=name, examples=examples)


@wrong("09.4", "no-op", "An empty dataset.", says="is empty")
def empty() -> object:
    def curate(client: Client, project: str, name: str) -> None:
        if not client.has_dataset(dataset_name=name):
            client.create_dataset(name)

    return curate


@wrong("09.4", "misreading", "What the agent said is what was wrong.", says="take the correction")
def the_agents_words() -> object:
    def curate(client: Client, project: str, name: str) -> None:
        rows = [
            {"inputs": run.inputs, "outputs": run.outputs, "source_run_id": run.id}
            for run, _ in complaints(client, project)[:10]
        ]
        fill(client, name, rows)

    return curate


@wrong("09.4", "slip", "The same question twice, and all again on the next call.", says="capitals")
def with_repeats() -> object:
    def curate(client: Client, project: str, name: str) -> None:
        rows = [
            {"inputs": run.inputs, "outputs": right, "source_run_id": run.id}
            for run, right in complaints(client, project)[:10]
        ]
        fill(client, name, rows)

    return curate


@wrong(
    "09.4", "slip", "A second call brings those that the first one left out.", says="second call"
)
def more_each_time() -> object:
    def curate(client: Client, project: str, name: str) -> None:
        there = set()
        if client.has_dataset(dataset_name=name):
            there = {key(one.inputs) for one in client.list_examples(dataset_name=name)}
        rows = []
        for run, right in complaints(client, project):
            if key(run.inputs) not in there and len(rows) < 10:
                there.add(key(run.inputs))
                rows.append({"inputs": run.inputs, "outputs": right, "source_run_id": run.id})
        fill(client, name, rows)

    return curate


def key(inputs: dict[str, Any] | None) -> str:
    return str((inputs or {})["question"]).strip().casefold()


# --- 09.5 -----------------------------------------------------------------------------------------

Hook = Callable[[Any], Any]


def everywhere(clean: Callable[[str], str]) -> Hook:
    def hook(value: Any) -> Any:
        if isinstance(value, str):
            return clean(value)
        if isinstance(value, dict):
            return {name: hook(item) for name, item in value.items()}
        return [hook(item) for item in value] if isinstance(value, list) else value

    return hook


def replaced(text: str, token: Callable[[str], str]) -> str:
    for name, pattern in RULES:
        text = pattern.sub(lambda match, name=name: f"[{name} {token(match[0])}]", text)
    return text


@wrong("09.5", "no-op", "Everything passes.", says="still in the stored run")
def passes_all() -> object:
    return lambda key: lambda data: data


@wrong("09.5", "misreading", "Redacted, and nobody can be counted.", says="nobody can be counted")
def all_alike() -> object:
    return lambda key: redactor()


@wrong("09.5", "misreading", "A plain hash can be undone by trying.", says="tries all numbers")
def plain_hash() -> object:
    def token(found: str) -> str:
        same = "".join(filter(str.isalnum, found.casefold()))
        return hashlib.sha256(same.encode()).hexdigest()[:8]

    return lambda key: everywhere(lambda text: replaced(text, token))


@wrong("09.5", "slip", "Capitals and spaces make other customers.", says="written in another way")
def as_written() -> object:
    def make_hook(key: bytes) -> Hook:
        def token(found: str) -> str:
            return hashlib.sha256(key + found.encode()).hexdigest()[:8]

        return everywhere(lambda text: replaced(text, token))

    return make_hook


# --- 09.6 -----------------------------------------------------------------------------------------

Answer = Callable[[str], str]


@wrong("09.6", "no-op", "No answer costs nothing.", says="0 of")
def no_answer() -> object:
    def make_pipeline(index: Retriever, llm: BaseChatModel) -> Answer:
        return lambda question: ""

    return make_pipeline


@wrong("09.6", "misreading", "The sentence itself is not what the model says.", says="same answers")
def no_other_words() -> object:
    def make_pipeline(index: Retriever, llm: BaseChatModel) -> Answer:
        return lambda question: index.search(question, k=1)[0].excerpt + "."

    return make_pipeline


@wrong("09.6", "misreading", "What is not traced is not saved.", says="a cost that is not traced")
def tracing_off() -> object:
    def make_pipeline(index: Retriever, llm: BaseChatModel) -> Answer:
        def answer(question: str) -> str:
            with tracing_context(enabled=False):
                return thrifty(question, index, llm)

        return answer

    return make_pipeline


@wrong(
    "09.6", "slip", "The review is gone, but nothing remembers repeated questions.", says="costs"
)
def nothing_remembered() -> object:
    def make_pipeline(index: Retriever, llm: BaseChatModel) -> Answer:
        return lambda question: thrifty(question, index, llm)

    return make_pipeline


def thrifty(question: str, index: Retriever, llm: BaseChatModel) -> str:
    (passage,) = index.search(question, k=1)
    if passage.score < NEAR_ENOUGH:
        words = llm.invoke(f"Say this in other words: {question}").text
        (passage,) = index.search(words, k=1)
    return llm.invoke(prompt(passage.excerpt, question)).text
