"""Whether tests that try a part of what they could are to try all of it."""

import os


def every_answer() -> bool:
    """Whether `COURSE_EVERY_ANSWER` asks for all answers and notebooks, not for a part of them."""
    return os.environ.get("COURSE_EVERY_ANSWER", "") not in ("", "0")
