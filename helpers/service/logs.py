"""Logs as JSON lines on standard error: one for each request, one for each failure.

They hold ids, counts and times. What was asked and answered is written only where
`Settings.log_messages` says so, and a customer is never named: the key's id leads whoever may know
it to the customer.
"""

import logging
import sys
from typing import Any

import structlog


def make_logger() -> Any:
    """The service's logger."""
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
