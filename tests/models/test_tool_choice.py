"""How well the local model chooses tools, on requests of a library that nothing was tuned on."""

import assistants
import pytest
from measure_tools import measure


@pytest.mark.slow
def test_tool_choice_on_64_requests_over_five_tools() -> None:
    count = measure("library", assistants.LIBRARY)
    print(count)
    assert dict(count.asked) == {"one tool": 40, "no tool": 12, "two tools": 12}
    # Measured: 38 of 40, 12 of 12, 9 of 12, and 47 of 49 arguments. One request of slack each,
    # for processors whose last bits differ.
    assert count.right["one tool"] >= 37
    assert count.right["no tool"] >= 11
    assert count.right["two tools"] >= 8
    assert count.arguments >= 45
    assert count.arguments_right >= count.arguments - 3
