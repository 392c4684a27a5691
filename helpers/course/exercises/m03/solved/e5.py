# Written by `course build` from solutions/src/03_stop_prompt_injection.py: change it there.
# The exercise's own cell.
import re

from langchain.agents.middleware import wrap_model_call
from langchain.messages import ToolMessage

from helpers.agent import THRESHOLD, build_agent, fernhill_index, make_tools
from helpers.security import Canary, Setting, Target
from helpers.security.controls import OthersData, Till, make_apply_goodwill, text_controls
from helpers.shop import open_orders

LABELS = ("Review by a customer:", "Note on the order:", "Message of the carrier:")
index = fernhill_index(sentences=1)


def defend(canary: Canary) -> Target:
    """Fernhill's agent with the secret out of reach, behind controls."""
    others = OthersData.of(open_orders())
    controls = text_controls(leaks=canary.leaked, others=others)

    def own_words(message):
        if not isinstance(message, ToolMessage):
            return message
        own = re.split("|".join(LABELS), message.text)[0].rstrip()
        return message.model_copy(update={"content": own})

    @wrap_model_call
    def leave_out(request, handler):
        return handler(request.override(messages=[own_words(one) for one in request.messages]))

    def build(setting: Setting):
        goodwill = make_apply_goodwill(setting.orders, Till(canary.code), canary.code)
        return build_agent(
            model=setting.model,
            tools=[*make_tools(index, setting.orders, threshold=THRESHOLD), goodwill],
            middleware=[leave_out, *controls, *setting.innermost],
        )

    return Target("mine", canary, build)
ANSWER = defend
