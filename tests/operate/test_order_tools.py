"""What the check of exercise 11.2 hears of the log."""

import logging

from helpers.course.exercises.m11.order_tools import heard


def test_it_hears_tracebacks_whatever_level_the_process_has() -> None:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    root.setLevel(logging.CRITICAL)  # as FastMCP does in a notebook
    try:
        with heard() as found:
            logging.getLogger("shop").error("without")
            try:
                raise OSError("gone")
            except OSError:
                logging.getLogger("shop").exception("broken")
        assert found == ["gone"]
        assert root.level == logging.CRITICAL
        assert root.handlers == handlers
    finally:
        root.setLevel(level)
