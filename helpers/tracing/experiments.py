"""An experiment on a dataset: `client.evaluate` with upload, and what came of it."""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from langsmith import Client

Target = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes an example's inputs, gives outputs."""


class ExperimentFailed(RuntimeError):  # noqa: N818 (named after what happened)
    """An answer or a verdict of an experiment is missing; the message says of how many."""


@dataclass(frozen=True)
class Experiment:
    """What came of a target on a dataset, as the traces tell it.

    Attributes:
        project: the project that holds the experiment's runs.
        verdicts: example id -> whether the evaluator called the answer right.
        tokens: of all runs.
        cost: of all runs, in US dollars; None where none of their models has a price.
        unpriced: model runs that the cost leaves out.
    """

    project: str
    verdicts: Mapping[str, bool]
    tokens: int
    cost: float | None
    unpriced: int

    @property
    def right(self) -> int:
        """How many answers are right."""
        return sum(self.verdicts.values())


def experiment(
    client: "Client", target: Target, dataset: str, evaluator: Callable[..., bool], name: str
) -> Experiment:
    """Run a target over a dataset, one example after the other, and read the traces back.

    Args:
        client: where dataset, runs and verdicts are kept.
        target: what is tried.
        dataset: the dataset's name.
        evaluator: whether an answer is right, by `inputs`, `outputs` and `reference_outputs`,
            whichever its arguments name.
        name: the beginning of the experiment's name.

    Raises:
        ExperimentFailed: the target or the evaluator raised on some example. The SDK's own table
            would show an empty cell there.
    """
    evaluators: list[Any] = [evaluator]  # a plain bool will do, which the SDK's type leaves out
    with _quiet():
        done = client.evaluate(
            target, data=dataset, evaluators=evaluators, experiment_prefix=name, max_concurrency=0
        )
    client.flush()
    rows = list(done)
    if failed := [row["run"].error for row in rows if row["run"].error]:
        raise ExperimentFailed(f"{len(failed)} of {len(rows)} answers failed: {failed[0][:300]}")
    scores = {
        str(row["example"].id): [one.score for one in row["evaluation_results"]["results"]]
        for row in rows
    }
    if gaps := [key for key, given in scores.items() if given in ([], [None])]:
        raise ExperimentFailed(f"{len(gaps)} of {len(rows)} answers got no verdict.")
    stats = client.read_project(project_name=done.experiment_name, include_stats=True)
    without = {facet["key"]: facet["n"] for facet in stats.run_facets or []}
    return Experiment(
        project=done.experiment_name,
        verdicts={key: bool(given[0]) for key, given in scores.items()},
        tokens=stats.total_tokens or 0,
        cost=None if stats.total_cost is None else float(stats.total_cost),
        unpriced=without.get("price", 0),
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the address that the SDK prints, and without its progress bar.

    The bar is drawn from another thread, past every redirect, so it is replaced where the SDK
    finds it.
    """
    with (
        contextlib.redirect_stdout(io.StringIO()),
        patch("tqdm.auto.tqdm", lambda rows: rows),
    ):
        yield
