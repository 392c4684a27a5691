"""The package behind the course's notebooks, labs and solutions.

Standard library only, and readable by an old Python: the launcher imports this file first.
"""

import os

# Nothing leaves the machine unasked: a key in the environment must not start sending traces.
# COURSE_TRACING is the one switch that turns tracing on.
if not os.environ.get("COURSE_TRACING"):
    for _name in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2"):
        os.environ[_name] = "false"
