"""A budget in dollars around the tiers: go on, degrade, stop.

    build_agent(middleware=[Budgeted(Tiers(), cheap=Tiers(use=CHEAP), budgets=..., ...)])

At the beginning of a turn the budgets decide: below their first threshold all tiers may answer;
above it only those without the model, and a person gets the rest; when one is spent, the turn is
refused before anything was done. Each call of the model reserves the most that it may cost, and
settles what it did cost. Where a call in the middle of a turn does not fit any more, the customer
reads what the tools said: a refund that was made is not hidden behind a refusal.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata, add_usage

from helpers.agent import Caller
from helpers.agent.context import this_turn
from helpers.cost.budget import Budget, BudgetSpent, Decision, Reservation
from helpers.cost.tiers import TIERS, Tier, Tiers, Told, answer

CHEAP: tuple[Tier, ...] = tuple(tier for tier in TIERS if tier != "model")
"""The tiers while a budget runs low."""
ALL = "all"
"""The key of the budget that all customers share."""

Request = ModelRequest[Caller]
Response = ModelResponse[Any]
_Answer = Response | AIMessage


class Budgeted(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Tiers within budgets; for agents that are called asynchronously, as the service does it."""

    def __init__(
        self,
        tiers: Tiers,
        *,
        cheap: Tiers,
        per_customer: Budget | None,
        for_all: Budget | None,
        price: Callable[[UsageMetadata], Decimal],
        at_most: Decimal,
        refused: Callable[[BudgetSpent], Exception] = lambda spent: spent,
    ) -> None:
        """Choose what answers and what it may cost.

        Args:
            tiers: answer below the threshold; `cheap` above it.
            cheap: without the tier "model".
            per_customer: a budget for each customer; None for none. Visitors share one.
            for_all: one budget for all of them together.
            price: the dollars of a call, from its tokens.
            at_most: dollars that one call of the model may cost.
            refused: makes the error for a turn that does not fit.
        """
        super().__init__()
        self._tiers, self._cheap = tiers, cheap
        self._customer, self._all = per_customer, for_all
        self._price, self._at_most, self._refused = price, at_most, refused

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> _Answer:
        """Answer by the tiers that the budgets allow.

        Raises:
            Exception: what `refused` makes, when a budget is spent at the beginning of a turn.
        """
        budgets = self._budgets(request)
        first = len(this_turn(request.messages)) == 1
        decision = await self._decide(budgets)
        if decision == "stop" and first:
            raise self._refused(await self._spent(budgets))

        async def paid(asked: Request) -> Response:
            return await self._paid(asked, handler, budgets)

        tiers = self._tiers if decision == "go on" else self._cheap
        try:
            return await tiers.awrap_model_call(request, paid)
        except BudgetSpent as spent:
            words = _words_of_tools(request)
            if first or not words:
                raise self._refused(spent) from spent
            return answer(Told("tool", words))

    def _budgets(self, request: Request) -> list[tuple[Budget, str]]:
        caller = request.runtime.context
        customer = (caller.customer_id if caller else None) or "visitors"
        both = ((self._customer, f"customer {customer}"), (self._all, ALL))
        return [(budget, key) for budget, key in both if budget is not None]

    async def _decide(self, budgets: list[tuple[Budget, str]]) -> Decision:
        found = [await budget.decide(key) for budget, key in budgets]
        return max(found, key=get_args(Decision).index, default="go on")

    async def _spent(self, budgets: list[tuple[Budget, str]]) -> BudgetSpent:
        """Which budget is spent, and when to come back."""
        try:
            for reservation, budget in await self._reserve(budgets):
                await budget.release(reservation)
        except BudgetSpent as spent:
            return spent
        return BudgetSpent("Answers in progress hold what is left: come back in 1 s.", 1.0)

    async def _reserve(self, budgets: list[tuple[Budget, str]]) -> list[tuple[Reservation, Budget]]:
        taken: list[tuple[Reservation, Budget]] = []
        try:
            for budget, key in budgets:
                taken.append((await budget.reserve(key, self._at_most), budget))
        except BaseException:
            for reservation, budget in taken:
                await budget.release(reservation)
            raise
        return taken

    async def _paid(
        self,
        request: Request,
        handler: Callable[[Request], Awaitable[Response]],
        budgets: list[tuple[Budget, str]],
    ) -> Response:
        taken, cost = await self._reserve(budgets), Decimal(0)
        try:
            response = await handler(request)
            cost = self._cost(response)
            return response
        except asyncio.CancelledError:
            cost = self._at_most  # a client that leaves early has still been written for
            raise
        finally:
            for reservation, budget in taken:
                await budget.settle(reservation, cost)

    def _cost(self, response: Response) -> Decimal:
        total: UsageMetadata | None = None
        for message in response.result:
            if isinstance(message, AIMessage) and message.usage_metadata:
                total = add_usage(total, message.usage_metadata)
        return self._at_most if total is None else self._price(total)


def dollars(text: str) -> Decimal:
    """A limit in dollars from a command line.

    Raises:
        ValueError: it is no amount, not positive, not finite, or out of all proportion.
    """
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not Decimal("0.000001") <= found <= 1_000_000:
        raise ValueError(
            f"{text!r} is no budget: give US dollars from 0.000001 to 1000000, such as 0.05."
        )
    return found


def _words_of_tools(request: Request) -> str:
    turn = this_turn(request.messages)
    said: Mapping[str, None] = dict.fromkeys(
        message.text for message in turn if isinstance(message, ToolMessage)
    )
    return "\n".join(said)
