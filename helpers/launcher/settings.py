"""Which of the user's settings reach the course's Python, and which reach uv and pip.

Where packages come from is the user's: indexes, folders of wheels, proxies, certificates, caches.
Which packages there are and where they go is the lock's and the launcher's. So of all that uv and
pip can be told, by variables or files, only what is listed here is handed on; the rest is set aside
and named.
"""

import ast
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from helpers.launcher.advice import SetUpError

# What changes how Python runs, and where Jupyter looks for kernels and configuration.
FOREIGN = re.compile(r"PYTHON|JUPYTER(?!HUB)|IPYTHONDIR$")
# Of these, what changes no answer; how keyring finds passwords; the learner's own token.
HARMLESS = {
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONFAULTHANDLER",
    "PYTHON_KEYRING_BACKEND",
    "JUPYTER_TOKEN",
}
# A C locale or a Windows code page cannot show every answer; the environment's kernel comes first.
OWN = {"PYTHONUTF8": "1", "JUPYTER_PREFER_ENV_PATH": "1"}

# Keys of pip's settings, without the part that says for which command.
PIP_SOURCES = re.compile(
    r"index-url|pypi-url|extra-index-url|no-index|find-links|trusted-host|proxy|no-proxy-env"
    r"|(client-)?cert|keyring-provider|(default-)?timeout|(resume-)?retries|(no-)?cache-dir"
    r"|use-(feature|deprecated)"
)
# What makes no difference in an environment of one's own: no word is lost on it.
PIP_IDLE = re.compile(
    r"config-file|user|disable-pip-version-check|no-input|no-color|progress-bar|quiet|verbose|log"
    r"|(no-)?compile|root-user-action|break-system-packages|require-virtualenv|no-warn-.*"
)
# Keys of uv's settings; its variables have the same names in capitals.
UV_SOURCES = re.compile(
    r"(default-|extra-)?index(-.*)?|no-index|find-links|keyring-provider|credentials-dir"
    r"|(allow-)?insecure-host|native-tls|system-certs|offline|http-.*|https?-proxy|no-proxy"
    r"|request-timeout|cache-dir|no-cache|link-mode|concurrent-.*|.*-endpoint-url"
)
UV_IDLE = re.compile(
    r"no-config|config-file|no-progress|color|compile-bytecode|preview(-.*)?|python(-.*)?"
    r"|(no-)?managed-python|break-system-packages|(tool|publish|run|internal|init)-.*"
)


def for_python(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's environment for the course's own Python and the kernels that it starts."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in HARMLESS or not FOREIGN.match(name)
    }
    return {**kept, **OWN}


def for_installers(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's environment for uv and pip, which then read no configuration files."""
    users = for_python(environment)
    kept = {name: value for name, value in users.items() if not _is_dropped(name)}
    own = {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_CONFIG": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_USER": "0",
    }
    return {**kept, **own}


def set_aside(environment: Mapping[str, str], tool: str) -> list[str]:
    """The variables of `tool` ("pip" or "uv") that it does not get and that would matter."""
    names = [name for name, value in environment.items() if value and _is_dropped(name)]
    idle = PIP_IDLE if tool == "pip" else UV_IDLE
    prefix = f"{tool.upper()}_"
    return [name for name in names if name.startswith(prefix) and not idle.fullmatch(_key(name))]


def _is_dropped(name: str) -> bool:
    if name.startswith("PIP_"):
        return not PIP_SOURCES.fullmatch(_key(name))
    return name.startswith("UV_") and not UV_SOURCES.fullmatch(_key(name))


def _key(name: str) -> str:
    """A variable's name as the settings spell it: "index-url" for PIP_INDEX_URL."""
    return name.partition("_")[2].lower().replace("_", "-")


def from_pip_files(listing: str) -> tuple[dict[str, str], list[str]]:
    """Take what `pip config list` prints; return variables for pip, and what is set aside.

    A line is `global.index-url='...'`, or `install.` for that command alone, which comes first.
    """
    found: dict[str, str] = {}
    aside: dict[str, None] = {}
    lines = re.findall(r"^(global|install)\.([\w-]+)=(.*)$", listing, flags=re.MULTILINE)
    for _, key, value in sorted(lines, key=lambda line: str(line[0])):
        if PIP_SOURCES.fullmatch(key):
            found[f"PIP_{key.upper().replace('-', '_')}"] = str(ast.literal_eval(value))
        elif not PIP_IDLE.fullmatch(key):
            aside[f"{key} in pip's configuration"] = None
    return found, list(aside)


def from_uv_files(environment: Mapping[str, str], root: Path) -> tuple[str, list[str]]:
    """Read the user's uv.toml files; return one for the set-up, and what is set aside.

    Raises `SetUpError` for one that cannot be read.
    """
    found: dict[str, object] = {}
    for_pip: dict[str, object] = {}
    aside: list[str] = []
    for path in _uv_files(environment, root):
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise SetUpError(
                f"uv's configuration {path} cannot be read ({error}). Correct or rename that file, "
                "and run the same command again."
            ) from error
        pip = table.pop("pip", {})
        for settings, kept in ((table, found), (pip if isinstance(pip, dict) else {}, for_pip)):
            for key, value in settings.items():
                if UV_SOURCES.fullmatch(key):
                    _merge(kept, key, _absolute(value, path.parent))
                elif not UV_IDLE.fullmatch(key):
                    aside.append(f"{key} in {path}")
    lines = [f"{key} = {_toml(value)}" for key, value in found.items()]
    lines += ["[pip]", *(f"{key} = {_toml(value)}" for key, value in for_pip.items())]
    return "\n".join(lines) + "\n", aside


def _uv_files(environment: Mapping[str, str], root: Path) -> Iterator[Path]:
    """Where uv looks, most important first."""
    if environment.get("UV_NO_CONFIG", "").lower() in {"1", "true", "yes", "on", "y", "t"}:
        return
    if environment.get("UV_CONFIG_FILE"):
        yield Path(environment["UV_CONFIG_FILE"])
        return
    yield root / "uv.toml"
    if sys.platform == "win32":
        yield Path(environment.get("APPDATA", "")) / "uv" / "uv.toml"
        yield Path(environment.get("PROGRAMDATA", "")) / "uv" / "uv.toml"
        return
    user = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    yield Path(user) / "uv" / "uv.toml"
    system = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    every = [*(Path(folder) / "uv" / "uv.toml" for folder in system), Path("/etc/uv/uv.toml")]
    yield next((path for path in every if path.is_file()), every[-1])


def _merge(kept: dict[str, object], key: str, value: object) -> None:
    before = kept.setdefault(key, value)
    if before is not value and isinstance(before, list) and isinstance(value, list):
        kept[key] = before + value


def _absolute(value: object, folder: Path) -> object:
    """The value with paths that were relative to its file ("./wheels") made absolute."""
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    if isinstance(value, dict):
        return {key: _absolute(item, folder) for key, item in value.items()}
    return str(folder / value) if isinstance(value, str) and value.startswith(".") else value


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
