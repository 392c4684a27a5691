"""What tests of module 08 need beside Python."""

import os

import pytest

from helpers.testbed.prometheus import MissingProgram, program


def require_prometheus(*more: str) -> None:
    """Skip where Prometheus, promtool or `more` is not installed; fail where it must be."""
    try:
        for name in ("prometheus", "promtool", *more):
            program(name)
    except MissingProgram as missing:
        if os.environ.get("COURSE_REQUIRE_PROMETHEUS"):
            pytest.fail(f"COURSE_REQUIRE_PROMETHEUS is set: {missing}")
        pytest.skip(str(missing))
