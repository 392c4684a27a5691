"""The fragile service answers one client, and shows the faults that lab 05 has people fix."""

import asyncio

from helpers.testbed import Breaks, Clients, Seen, SlowModel, serving_here
from helpers.testbed.fragile import fragile


def asked(model: SlowModel, body: object) -> Seen:
    async def ask() -> Seen:
        async with serving_here(fragile(model)) as server, Clients(server.url) as clients:
            return await clients.ask(body)

    return asyncio.run(ask())


def test_one_polite_client_is_answered() -> None:
    seen = asked(SlowModel(answer="It weighs 2.1 kg."), {"message": "How heavy is it?"})
    assert seen.outcome == "answered"
    assert "".join(seen.texts).split() == ["It", "weighs", "2.1", "kg."]


def test_a_bad_body_and_a_failing_model_are_not_handled() -> None:
    assert asked(SlowModel(), {}).status == 500
    seen = asked(SlowModel(answer=Breaks("It weighs", after=1)), {"message": "How heavy is it?"})
    assert (seen.status, seen.outcome) == (200, "lost")
