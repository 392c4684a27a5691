"""What a start of the small course printed, read by the tests."""

import json
import subprocess


def said(result: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """What the small course's command printed about the Python that it ran on."""
    assert "said " in result.stdout, result.stdout + result.stderr
    found: dict[str, object] = json.loads(result.stdout.split("said ")[1])
    return found


def sentence(result: subprocess.CompletedProcess[str]) -> str:
    """What a start that failed said: a sentence, no traceback."""
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "The set-up stopped." in result.stderr
    return result.stderr
