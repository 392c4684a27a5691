"""Traces of the agent's requests, here or at LangSmith, with the same code.

    from helpers import tracing

    traces = tracing.enable("fernhill")      # COURSE_TRACING=local|langsmith
    agent.invoke(...)                        # traced
    traces.flush()
    runs = list(traces.client.list_runs(project_name="fernhill", is_root=True))

A notebook that sets LangSmith's own variables gets their values from `tracing.local()`.

`local` is a service of the course that speaks the part of LangSmith's API that the course uses
(runs, queries, projects, datasets, experiments, feedback, statistics), in a process of its own on
a loopback port, over one SQLite file. The unchanged `langsmith` SDK talks to it. What it does not
speak it answers with 501 and a sentence. `course traces` opens its pages in a browser.
"""

from helpers.tracing.service import Service, ServiceError, running
from helpers.tracing.switch import Tracing, TracingError, disable, enable, local

__all__ = [
    "Service",
    "ServiceError",
    "Tracing",
    "TracingError",
    "disable",
    "enable",
    "local",
    "running",
]
