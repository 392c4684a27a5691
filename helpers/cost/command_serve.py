"""`course tiers serve`: the service, with cache, extracted sentences and tiers before its model.

It adds to the service's metrics (a label takes these values only):

service_tier_answers_total       counter, answers      by `tier`: a tier, or "none" for one that
                                                       did not end well or that no tier has marked
service_tier_cost_usd_total      counter, US dollars   of their tokens, by `tier` likewise
service_cache_lookups_total      counter, questions    by `result`: exact, normalised or semantic
                                                       for a hit, miss, and failed where the
                                                       question could not be embedded
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from helpers.service.command import SETTINGS_HELP, add_settings, run_app, run_with_settings

if TYPE_CHECKING:
    from langchain.agents.middleware import AgentMiddleware
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

    from helpers.agent import Agent
    from helpers.cost.caches import AnswerCache
    from helpers.service.metrics import Instrument
    from helpers.service.turn import Outcome

_PROG: Final = "course tiers serve"
_NONE: Final = "none"
_RESULTS: Final = ("exact", "normalised", "semantic", "miss", "failed")
_DAY_S: Final = 86_400.0


def tiers(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM; 1 when it cannot start, with the reason."""
    parser = argparse.ArgumentParser(
        prog="course tiers", description="Answer without the model where a cheaper tier can."
    )
    serve = parser.add_subparsers(required=True, metavar="serve").add_parser(
        "serve",
        help="serve the agent with tiers over HTTP",
        description="Serve the support agent with a cache, extracted sentences and the tools' own "
        f"words before its model; what is left goes to the model or a person. {SETTINGS_HELP}",
    )
    add_settings(serve)
    about = "dollars a day, from the first answer on; at 80 %% the model is no longer used"
    serve.add_argument("--budget-usd", type=_dollars, metavar="USD", help=f"of all: {about}")
    serve.add_argument(
        "--per-customer-usd", type=_dollars, metavar="USD", help=f"of each customer: {about}"
    )
    return run_with_settings(_PROG, parser.parse_args(argv), _run)


def _dollars(text: str) -> Decimal:
    from helpers.cost.budgeted import dollars

    try:
        return dollars(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(settings: Any, key: str | None, options: argparse.Namespace) -> int:
    from helpers.cost.caches import AnswerCache
    from helpers.models import embeddings
    from helpers.models.errors import UnknownPrice
    from helpers.service.app import create_app

    if settings.path != "agent":
        print(f"{_PROG}: tiers belong to the agent: leave out --path plain.", file=sys.stderr)
        return 1
    cache = AnswerCache(embeddings=embeddings())
    try:
        make = with_tiers(cache, settings, options.budget_usd, options.per_customer_usd)
    except (UnknownPrice, ValueError) as error:
        print(f"{_PROG}: {error}", file=sys.stderr)
        return 1
    app = create_app(settings, make_agent=make, instruments=[tier_metrics(cache)])
    return run_app(app, settings, key, options)


def with_tiers(
    cache: "AnswerCache",
    settings: Any,
    for_all: Decimal | None = None,
    per_customer: Decimal | None = None,
    **parts: Any,
) -> "Callable[..., Agent]":
    """What makes the service's agent, as `create_app(make_agent=...)` takes it.

    Args:
        cache: of the answers.
        settings: of the service.
        for_all: dollars a day of all customers together; None for no limit.
        per_customer: dollars a day of each.
        parts: more arguments of `build_agent`, such as its retriever, which the tiers share.

    Raises:
        UnknownPrice: there is a limit, and the model has no price.
        ValueError: one call of the model may cost more than a limit.
    """
    from helpers.agent import build_agent, fernhill_index
    from helpers.cost.tiers import Tiers

    given: dict[str, Any] = {"cache": cache, "retriever": parts.get("retriever")}
    given["retriever"] = given["retriever"] or fernhill_index()
    outer: AgentMiddleware[Any, Any, Any] = Tiers(**given)
    if for_all is not None or per_customer is not None:
        outer = _within_budgets(outer, given, settings, for_all, per_customer)

    def make(*, model: Any, middleware: Sequence[Any]) -> "Agent":
        return build_agent(model=model, middleware=[outer, *middleware], **parts)

    return make


def _within_budgets(
    tiers: Any, given: Any, settings: Any, for_all: Decimal | None, per_customer: Decimal | None
) -> Any:
    import os

    from helpers.cost.budget import Budget, BudgetSpent
    from helpers.cost.budgeted import CHEAP, Budgeted
    from helpers.cost.prices import price
    from helpers.cost.tiers import Tiers
    from helpers.models.errors import UnknownPrice
    from helpers.service.errors import Problem

    priced_as = settings.price_as
    if priced_as is None and settings.upstream_url is None:
        priced_as = os.environ.get("COURSE_MODEL", "").strip() or "local"
    if priced_as is None:
        raise UnknownPrice(
            "A budget in dollars needs the price of the model at --upstream: set "
            "COURSE_SERVICE_PRICE_AS, as in openai:gpt-5-mini."
        )
    read = settings.max_input_tokens + settings.agent_tokens
    written = settings.max_output_tokens
    most = price(
        priced_as,
        {"input_tokens": read, "output_tokens": written, "total_tokens": read + written},
    )
    for limit in (for_all, per_customer):
        if limit is not None and limit < most:
            raise ValueError(
                f"One call of the model may cost ${most:.6f}, and a budget is ${limit}: raise it."
            )

    def refused(spent: BudgetSpent) -> Exception:
        # Which budget, and how much of it, is not the customer's business.
        when = spent.retry_after_s
        return Problem("budget-spent", "The day's budget is used up: ask later.", retry_after=when)

    return Budgeted(
        tiers,
        cheap=Tiers(use=CHEAP, **given),
        per_customer=None if per_customer is None else Budget(per_customer, _DAY_S),
        for_all=None if for_all is None else Budget(for_all, _DAY_S),
        price=lambda usage: price(priced_as, usage),
        at_most=most,
        refused=refused,
    )


def tier_metrics(cache: "AnswerCache") -> "Instrument":
    """The metrics of this module, as `create_app(instruments=...)` takes them."""
    from prometheus_client import Counter
    from prometheus_client.metrics_core import CounterMetricFamily
    from prometheus_client.registry import Collector

    from helpers.cost.tiers import TIERS

    class Lookups(Collector):
        def collect(self) -> "Iterator[Metric]":
            family = CounterMetricFamily(
                "service_cache_lookups", "Questions that the cache was asked", labels=["result"]
            )
            for result in _RESULTS:
                family.add_metric([result], cache.counts[result])
            yield family

    def make(registry: "CollectorRegistry") -> "Callable[[str, Outcome, float | None], None]":
        registry.register(Lookups())
        answers = Counter(
            "service_tier_answers", "Answers by their tier", ("tier",), registry=registry
        )
        cost = Counter(
            "service_tier_cost_usd", "US dollars of tokens", ("tier",), registry=registry
        )
        for tier in (*TIERS, _NONE):
            answers.labels(tier)
            cost.labels(tier)

        def observe(ended: str, outcome: "Outcome", usd: float | None) -> None:
            known = ended == "done" and outcome.tier in TIERS
            tier = outcome.tier if known else _NONE
            answers.labels(tier).inc()
            if usd is not None:
                cost.labels(tier).inc(usd)

        return observe

    return make


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"tiers": tiers}
