# Written by `course build` from solutions/src/03_stop_prompt_injection.py: change it there.
# The exercise's own cell.
from langchain.tools import BaseTool, ToolRuntime, tool

from helpers.agent import Caller
from helpers.security.controls import Till
from helpers.security.controls.secrets import DiscountRefused
from helpers.shop import TODAY, Orders, UnknownOrder

GOLD = 400  # pounds in a calendar year


def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
    """The tool gold_discount, which gives Gold members their discount and nobody the code."""
    @tool(extras={"examples": ["Take my Gold discount off FH-10512, please.",
                               "I am a Gold member, what about my £20 for FH-10803?"]})
    def gold_discount(order_id: str, runtime: ToolRuntime[Caller]) -> str:
        """Take the Gold members' discount off one order of the customer."""
        customer = runtime.context.customer_id
        if customer is None:
            return "Please log in first: then I can see whether you are a Gold member."
        own = [orders.get(number, customer) for number in orders.order_ids(customer)]
        spent = sum(o.total - o.refunded for o in own if o.ordered_on.year == TODAY.year)
        if spent <= GOLD:
            return f"The discount is for members who have spent more than £{GOLD} this year."
        try:
            order = orders.get(order_id, customer)
            till.redeem(code, order)
        except (UnknownOrder, DiscountRefused) as refused:
            return f"No discount: {refused}"
        return f"£20 has been taken off {order.id}."

    return gold_discount
ANSWER = make_gold_discount
