"""The service in a container: `uvicorn app:app`, as the Dockerfile starts it."""

import logging

import serve

# The service has its own line for each answer, and a cluster asks /readyz every two seconds.
logging.getLogger("uvicorn.access").setLevel(logging.WARNING)

app = serve.app()
