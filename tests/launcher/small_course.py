"""A small course to set up: the real launcher, a lock of tiny wheels, no network."""

import base64
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
# Port 9 (discard) of the loopback: nobody listens, so every connection is refused at once.
DEAD = "http://127.0.0.1:9"

CLI = """
import json
import os
import sys

COMMANDS = {"say": (), "test": ()}


def main(argv=None):
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        print("usage: course COMMAND")
        return 2
    import tiny_alpha
    try:
        import tiny_beta
        beta = tiny_beta.VERSION
    except ImportError:
        beta = None
    found = {"prefix": sys.prefix, "words": words, "alpha": tiny_alpha.VERSION, "beta": beta}
    found["flags"] = [sys.flags.optimize, len(sys.warnoptions), sys.flags.inspect]
    found["encodings"] = [sys.getfilesystemencoding(), sys.stdout.encoding, sys.stderr.encoding]
    ours = ("PYTHON", "JUPYTER")
    found["variables"] = sorted(name for name in os.environ if name.startswith(ours))
    print("said " + json.dumps(found))
    return int(words[-1]) if words[-1].isdigit() else 0


if __name__ == "__main__":
    raise SystemExit(main())
"""


def write_wheel(folder: Path, name: str, version: str = "1.0") -> str:
    """Write a wheel of one module and one script; return its SHA-256."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = '{version}'\ndef main():\n    print('{name}', VERSION)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(
        f"{path},sha256={_encoded(text)},{len(text)}\n" for path, text in files.items()
    )
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _encoded(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def lock_of(name: str, digest: str, version: str = "1.0") -> str:
    return f"{name.replace('_', '-')}=={version} \\\n    --hash=sha256:{digest}\n"


def find_uv() -> str | None:
    paths = [sysconfig.get_path("scripts"), os.environ.get("PATH", "")]
    return shutil.which("uv", path=os.pathsep.join(paths))


@dataclass
class Course:
    """A copy of the launcher with a lock of its own; `start` runs it as a learner would."""

    root: Path
    wheels: Path
    home: Path
    programs: Path
    python: str = getattr(sys, "_base_executable", sys.executable)
    prefix: list[str] = field(default_factory=list)

    def environment(self, **settings: str) -> dict[str, str]:
        proxies = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PIP_", "UV_", "PYTHON", "COV_"))
            and name.upper() not in proxies
        }
        own = {
            "HOME": str(self.home),
            "PATH": str(self.programs),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_RETRIES": "1",
            "UV_HTTP_RETRIES": "0",
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(self.home / "uv-cache"),
            # Whatever asks the network is refused: only the folder of wheels is left.
            "HTTP_PROXY": DEAD,
            "HTTPS_PROXY": DEAD,
        }
        return {**kept, **own, **settings}

    def command(self, *words: str) -> list[str]:
        return [*self.prefix, self.python, "-m", "helpers", *words]

    def start(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=self.root,
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def set_up(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = words[0] if words else "say"
        return self.start(command, "--wheels", str(self.wheels), *words[1:], **settings)

    def lock(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def packages(self) -> Path:
        return next((self.root / ".venv").glob("[Ll]ib/**/site-packages"))

    def put_program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)


def new_course(folder: Path, *, uv: bool) -> Course:
    root = folder / "my course"
    shutil.copytree(REPO / "helpers" / "launcher", root / "helpers" / "launcher")
    for name in ("__init__.py", "__main__.py", "doctor.py", "paths.py"):
        shutil.copy(REPO / "helpers" / name, root / "helpers" / name)
    (root / "helpers" / "cli.py").write_text(CLI, encoding="utf-8")
    course = Course(root, folder / "wheels", folder / "home", folder / "programs")
    for made in (course.wheels, course.home, course.programs):
        made.mkdir()
    if uv:
        program = find_uv()
        if program is None:
            pytest.skip("uv is not here: the launcher uses venv and pip then, which is tested")
        (course.programs / "uv").symlink_to(Path(program).resolve())
    course.lock(
        "requirements.lock", lock_of("tiny_alpha", write_wheel(course.wheels, "tiny_alpha"))
    )
    course.lock(
        "requirements-dev.lock", lock_of("tiny_beta", write_wheel(course.wheels, "tiny_beta"))
    )
    return course
