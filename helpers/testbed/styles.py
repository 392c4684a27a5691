"""Ways to speak to a model that go wrong, to be measured and improved."""

from helpers.agent.prompt import Style

FRIENDLY = Style(
    system=(
        "You are the friendly support agent of Fernhill, a shop for outdoor gear. Answer in one "
        "warm sentence."
    ),
    examples=(),
    small_talk=(),
    sentences=1,
)
"""How a shop may like its agent to speak, and what makes the local model lose the facts."""
