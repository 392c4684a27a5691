"""The room as a whole: its import costs nothing, its exports are there, and its clock."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime

import pytest

import helpers.testbed as testbed
from helpers.faults import EquipmentError
from helpers.testbed import Clock

HEAVY = {
    "uvicorn",
    "starlette",
    "fastapi",
    "httpx2",
    "langchain_core",
    "numpy",
    "sklearn",
    "psutil",
}


def test_the_import_loads_nothing_heavy() -> None:
    code = f"import sys, helpers.testbed; print(sorted({HEAVY!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_export_is_there_and_is_no_module() -> None:
    for name in testbed.__all__:
        assert callable(getattr(testbed, name)), name
    with pytest.raises(AttributeError, match="nothing"):
        _ = testbed.nothing


def test_functions_named_as_their_modules_are_exported_as_functions() -> None:
    code = (
        "from helpers.testbed.openai_server import OpenAIServer;"
        "import helpers.testbed.serving;"
        "from helpers.testbed import openai_server, serving;"
        "assert callable(openai_server) and callable(serving)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_its_errors_are_the_courses_fault_for_a_check() -> None:
    assert issubclass(testbed.DidNotStart, testbed.TestbedError)
    assert issubclass(testbed.TestbedError, EquipmentError)


def test_a_clock_moves_when_code_sleeps_on_it() -> None:
    clock = Clock(start=datetime(2026, 11, 27, 8, tzinfo=UTC).timestamp())
    began = clock.time()
    clock.sleep(90)
    asyncio.run(clock.asleep(30))
    assert (clock.monotonic(), clock.time() - began) == (120, 120)
    assert clock.now() == datetime(2026, 11, 27, 8, 2, tzinfo=UTC)
    with pytest.raises(ValueError, match="backwards"):
        clock.sleep(-1)


def test_sleepers_let_each_other_run() -> None:
    async def two() -> list[str]:
        clock, said = Clock(), list[str]()

        async def sleeper(name: str) -> None:
            for _ in range(2):
                said.append(f"{name} at {clock.monotonic():g}")
                await clock.asleep(1)

        await asyncio.gather(sleeper("a"), sleeper("b"))
        return said

    assert asyncio.run(two()) == ["a at 0", "b at 1", "a at 2", "b at 3"]
