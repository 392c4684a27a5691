"""The service's image: a base out of the running Python, a folder to build from, and its layers.

No registry is needed: the base holds this machine's own Python with the system's libraries, and the
packages are those of this environment. On a machine that can pull, `BASE` is python:3.11-slim and
`PACKAGES` is lock; the Dockerfile is the same (`solutions/07_run_on_kubernetes/Dockerfile`).
"""

import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.deploy.podman import PAUSE, Podman, PodmanError
from helpers.deploy.subset import (
    CODE,
    MODELS,
    RAY,
    installed_files,
    lock_of,
    service_files,
    service_packages,
)
from helpers.paths import ROOT

BASE = "localhost/base"
FILES = ROOT / "solutions" / "07_run_on_kubernetes"
"""Where the Dockerfile is, and what it copies beside packages and code."""

_NOT_NEEDED = {"test", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "site-packages"}
_USER = "app:x:10001:10001::/tmp:/nonexistent\n"


@dataclass(frozen=True)
class Layer:
    """One step of an image.

    Attributes:
        made_by: the step of the Dockerfile, such as "COPY /srv/code/helpers".
        mb: what it adds, in megabytes.
    """

    made_by: str
    mb: float


def make_base(one: Podman, *, packages: Iterable[str] = ()) -> str:
    """Make the base image out of the running Python, and the one that keeps a pod; its name.

    Args:
        one: who keeps it.
        packages: whose compiled modules are to find the system's libraries in it.

    Raises:
        PodmanError: the running Python is not Linux's, or podman does not take the image.
    """
    if sys.platform != "linux":
        raise PodmanError(
            "The base image is made of the running Python, which must be Linux's: run this on"
            " Linux, or build the image with python:3.11-slim (the Dockerfile's first lines)."
        )
    compiled = [
        path for each in packages for path, _ in installed_files(each) if ".so" in path.suffixes
    ]
    tar = one.folder / "base.tar"
    _write_tar(tar, _python(compiled))
    one.import_tar(BASE, tar, "ENV LD_LIBRARY_PATH=/usr/local/lib")
    sleep = shutil.which("sleep") or "/bin/sleep"
    _write_tar(tar, {"bin/sleep": Path(sleep), **_libraries([Path(sleep)])})
    # As process 1 it does not hear SIGTERM, and a pod would wait for it until its time is over.
    entry = 'ENTRYPOINT ["/bin/sleep", "infinity"]'
    one.import_tar(PAUSE, tar, entry, "STOPSIGNAL SIGKILL")
    tar.unlink()
    return BASE


def write_context(folder: Path, code: tuple[str, ...] = CODE) -> None:
    """Write the folder that the Dockerfile is built from; what is there already is renewed.

    Args:
        folder: where to.
        code: what the image holds of the course, `CODE` or `RAY`.

    Raises:
        SubsetError: a package of the service is not installed.
    """
    write_code(folder, code)
    service = service_packages(code)
    (folder / "service.lock").write_text(lock_of(service), "utf-8")
    (folder / "models.lock").write_text(lock_of(MODELS), "utf-8")
    write_packages(folder / "packages", service)
    write_packages(folder / "models", MODELS)


def write_packages(folder: Path, packages: Iterable[str]) -> None:
    """Put the files of installed packages into a folder, from which Python can import them."""
    for package in packages:
        for source, target in installed_files(package):
            _link(source, folder / target)


def write_code(folder: Path, code: tuple[str, ...] = CODE) -> None:
    """Renew the code in such a folder, and what the Dockerfile needs as well as packages."""
    shutil.rmtree(folder / "helpers", ignore_errors=True)
    for file in service_files(code):
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, target)
    for file in FILES.iterdir():
        if file.is_file():
            shutil.copy2(file, folder / file.name)


def build(one: Podman, folder: Path, image: str) -> str:
    """Build the service's image on `BASE` from such a folder; what podman said.

    Raises:
        PodmanError: a step failed.
    """
    return one.build(folder, image, args={"BASE": BASE, "PACKAGES": "copy"})


def layers(one: Podman, image: str) -> list[Layer]:
    """The layers of an image that hold something, the lowest first."""
    steps = json.loads(one.run("history", "--format", "json", "--no-trunc", image))
    made = [Layer(_step(each["CreatedBy"]), int(each["size"]) / 1e6) for each in steps]
    return [each for each in reversed(made) if each.mb >= 0.001]


def size_mb(one: Podman, image: str) -> float:
    """The size of an image, in megabytes."""
    return int(one.run("image", "inspect", "--format", "{{.Size}}", image)) / 1e6


def _step(made_by: str) -> str:
    """A step without the shell that did not run and the digest of what was copied."""
    found = re.sub(r"^/bin/sh -c (#\(nop\) )?", "", made_by.strip())
    return re.sub(r" (file|dir|multi):[0-9a-f]+ in ", " ", found)


def _python(compiled: list[Path]) -> dict[str, Path]:
    """The running Python and the libraries that it and these need, by their place in the image."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    home = f"usr/local/lib/{stdlib.name}"
    program = Path(sys.executable).resolve()
    files = {"usr/local/bin/python3": program, "usr/local/bin/python": program}
    for path in _below(stdlib):
        files[f"{home}/{path.relative_to(stdlib).as_posix()}"] = path
    own = [path for path in files.values() if ".so" in path.suffixes]
    return {**files, **_libraries([program, *own, *compiled])}


def _below(stdlib: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(stdlib):
        folders[:] = [
            each
            for each in folders
            if each not in _NOT_NEEDED and not each.startswith(("config-", "dist-packages"))
        ]
        yield from (Path(folder, name) for name in names if ".opt-" not in name)


def _libraries(programs: list[Path]) -> dict[str, Path]:
    """The system's libraries that these need: by their place in the image, where they are."""
    done = subprocess.run(
        ["ldd", *map(str, programs)], capture_output=True, text=True, timeout=120, check=False
    )
    found: dict[str, Path] = {}
    for line in done.stdout.splitlines():
        words = line.split()
        path = next((word for word in words if word.startswith("/") and word[-1] != ":"), None)
        if path is None or "site-packages" in path:
            continue
        system = path.startswith(("/lib", "/usr/lib"))
        place = path if system else f"/usr/local/lib/{Path(path).name}"
        found[place.lstrip("/")] = Path(path).resolve()
    return found


def _write_tar(target: Path, files: dict[str, Path]) -> None:
    """A tar of these files, of a user with a number and of a place for temporary files."""
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as tar:
        temporary = tarfile.TarInfo("tmp")
        temporary.type, temporary.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(temporary)
        for name, text in {"etc/passwd": _USER, "etc/group": "app:x:10001:\n"}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
        for name, path in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            found = path.stat()
            entry.size, entry.mtime = found.st_size, int(found.st_mtime)
            entry.mode = 0o755 if found.st_mode & stat.S_IXUSR else 0o644
            with path.open("rb") as content:
                tar.addfile(entry, content)


def _link(source: Path, target: Path) -> None:
    """The same file in another folder: a link where both are on one disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


if __name__ == "__main__":
    write_context(Path(sys.argv[1]), RAY if sys.argv[2:] == ["--ray"] else CODE)
