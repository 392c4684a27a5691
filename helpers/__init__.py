"""The package behind the course's notebooks, labs and solutions.

Standard library only, and readable by an old Python: the launcher imports this file first.
"""

import os

# Nothing leaves the machine unasked: a key in the environment must not start sending traces.
# COURSE_TRACING is the one switch that turns tracing on: at once to LangSmith, or to the local
# service once `helpers.tracing.enable()` has started it and named its address (for processes that
# are started after that).
_to = os.environ.get("COURSE_TRACING")
_here = os.environ.get("LANGSMITH_ENDPOINT", "").startswith("http://127.0.0.1:")
if _to != "langsmith" and not (_to == "local" and _here):
    for _name in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2"):
        os.environ[_name] = "false"

# Nor does Ray report its use, and its parts listen on loopback alone, for which it has the switch
# of macOS and Windows. It reads both when it is imported, wherever that happens first. A process
# that joins a cluster on other machines turns the second one on again (`helpers.scale.cluster`).
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
