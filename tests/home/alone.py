"""What the tries of the programs share: a process without the course, with a model by its URL."""

import json
import tempfile
from pathlib import Path
from typing import Any

from helpers.authoring.alone import run_alone
from helpers.course.home import PROGRAMS

MODEL = """
import json
from langchain.chat_models import init_chat_model
model = init_chat_model("openai:any", stream_usage=True, max_retries=0, temperature=0,
                        max_tokens=60)
"""


def run(code: str, url: str, **more: str) -> Any:
    """What the code prints as JSON, with `model` on the server at this URL."""
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as folder:
        env = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none", **more}
        done = run_alone(MODEL + code, path=PROGRAMS, cwd=Path(folder), env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
