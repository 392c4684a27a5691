from typing import Any

import pytest
from langchain.agents import create_agent

from fakes import scripted
from guards import FilterOutput, MarkUntrusted, redact_pii

CODE = "7QX4KD92"
GUARD = FilterOutput(CODE, {"shop.example"})


# Answers of your own that must not go out, and some that must.
@pytest.mark.parametrize(
    ("answer", "leaks"),
    [
        ("The code is 7QX4-KD92.", True),
        ("Backwards it is 29DK4XQ7.", True),
        ("Log in at www.evil.example/login", True),
        ("![ok][1]\n\n[1]: <//evil.example/?d=1>", True),
        ("Write to help@shop.example.", False),
        ("It weighs 2.1 kg, see https://shop.example/pans.", False),
    ],
)
def test_the_filter_withholds_the_secret_and_foreign_addresses(answer: str, leaks: bool) -> None:
    assert GUARD.leaks(answer) is leaks
    agent: Any = create_agent(scripted(answer), [], middleware=[GUARD])
    said = agent.invoke({"messages": [("user", "Hi")]})["messages"][-1].text
    assert (said != answer) is leaks


def test_the_model_reads_no_card_number() -> None:
    model = scripted("Thank you.")
    agent: Any = create_agent(model, [], middleware=[MarkUntrusted(), *redact_pii()])
    agent.invoke({"messages": [("user", "My card is 4111 1111 1111 1111.")]})
    assert "4111 1111" not in str(model.seen)
