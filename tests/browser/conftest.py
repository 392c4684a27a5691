"""A browser for each file of tests; without one they are skipped, or fail where it is required."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from tests.browser.desk import browser_program, launch


def _missing(why: str) -> None:
    if os.environ.get("COURSE_REQUIRE_BROWSER", "") not in ("", "0"):
        pytest.fail(f"COURSE_REQUIRE_BROWSER is set, but {why}.")
    pytest.skip(f"{why}; install Chromium to run the browser tests.")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium without a window.

    Playwright runs an event loop in this thread until the file's last test, and no other loop can
    run beside it: a browser that lived longer would break the asynchronous tests of other files.
    """
    program = browser_program()
    if program is None:
        _missing("there is no Chromium or Chrome on the path")
    assert program is not None
    with sync_playwright() as playwright:
        try:
            started = launch(playwright, program)
        except Error as error:
            _missing(f"{program} does not start ({str(error).splitlines()[0]})")
            raise
        yield started
        started.close()
