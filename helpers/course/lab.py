"""Open JupyterLab on the course: loopback only, on this environment's Python, no question asked."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers.paths import ROOT, course_dir

START = "notebooks/00_start_here.ipynb"

# Without this JupyterLab asks on its first start whether it may fetch news, and asks for updates.
QUIET = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # Without it a quiz that was answered and saved opens as "model not found" the next time.
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
}


def prepare(prefix: Path, home: Path) -> dict[str, str]:
    """Write the course's settings for JupyterLab; return the variables that make it use them.

    `prefix` is the environment's folder, which holds JupyterLab's defaults; `home` the learner's
    course folder. Settings, history and running kernels are kept in `home`, so that the course
    neither reads nor changes what the learner's own Jupyter has.
    """
    overrides = prefix / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    overrides.parent.mkdir(parents=True, exist_ok=True)
    overrides.write_text(json.dumps(QUIET, indent=1), encoding="utf-8")
    jupyter = home / "jupyter"
    folders = {
        "JUPYTER_CONFIG_DIR": jupyter / "config",
        "JUPYTER_DATA_DIR": jupyter / "data",
        "JUPYTER_RUNTIME_DIR": jupyter / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": jupyter / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": jupyter / "workspaces",
        "IPYTHONDIR": jupyter / "ipython",
    }
    # A notebook's `!course status` and a terminal's `python` mean this environment's.
    programs = Path(sys.executable).parent
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    shared = {"PATH": path, "VIRTUAL_ENV": str(prefix)}
    return {
        **{name: str(folder) for name, folder in folders.items()},
        **shared,
        **_past_proxies(os.environ),
    }


def _past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables by which calls to this machine pass by a proxy of the environment.

    Notebooks call servers on loopback with the field's own clients, which ask a proxy otherwise.
    Nothing is set without a proxy: on macOS the variable alone would hide the system's proxy.
    """
    if not any(name.lower() in ("http_proxy", "https_proxy", "all_proxy") for name in environment):
        return {}
    names = {}
    for name in ("NO_PROXY", "no_proxy"):
        known = [part for part in environment.get(name, "").split(",") if part]
        names[name] = ",".join(dict.fromkeys([*known, "127.0.0.1", "localhost"]))
    return names


def arguments(root: Path, extra: Sequence[str]) -> list[str]:
    """JupyterLab's command line for the course in `root`, with the learner's own options last."""
    options = [
        f"--ServerApp.root_dir={root}",
        "--ServerApp.ip=127.0.0.1",
        # Its other manager asks a package registry when its panel is opened.
        "--LabApp.extension_manager=readonly",
        # Looking for language servers runs npm, which writes into the learner's home.
        "--LanguageServerManager.autodetect=False",
    ]
    if (root / START).is_file():
        options.append(f"--LabApp.default_url=/lab/tree/{START}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    return [*options, *extra]


def run(extra: Sequence[str]) -> int:
    """Check the machine, then run JupyterLab in this process until it is stopped."""
    doctor = subprocess.run([sys.executable, "-m", "helpers.cli", "doctor"], cwd=ROOT, check=False)
    if doctor.returncode:
        print("JupyterLab opens all the same; what is marked NO above may not work.\n")
    os.environ.update(prepare(Path(sys.prefix), course_dir()))
    os.chdir(ROOT)
    from jupyterlab.labapp import LabApp

    print("Opening JupyterLab. Ctrl-C here stops it.", flush=True)
    LabApp.launch_instance(arguments(ROOT, extra))
    return 0
