"""podman with storage, settings and containers of its own, which leaves nothing behind.

    with podman() as one:
        one.import_tar("localhost/base", tar)    # an image from nothing
        one.build(context, "localhost/service:1", args={"BASE": "localhost/base"})
        one.play(manifest)                       # what a kubelet would run

Whatever the block does, afterwards its pods are gone and so is the folder with its images. The
machine's own podman, its images and its settings are not touched.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.faults import EquipmentError, MissingEquipmentError

INSTALL = "install podman and runc (Debian, Ubuntu: apt-get install podman runc)"
PAUSE = "localhost/pause"
"""The image of the container that holds a pod's addresses; made by `import_tar`."""

_LAST_CHARACTERS = 600
_STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""
# Locks in files, because those in shared memory are the same for every podman of the machine.
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
infra_image = "localhost/pause"
lock_type = "file"
runtime = "{runtime}"
static_dir = "{folder}/libpod"
tmp_dir = "{folder}/tmp"
volume_path = "{folder}/volumes"
[network]
network_config_dir = "{folder}/networks"
"""


class PodmanError(EquipmentError):
    """podman cannot do what it was asked to; the message says what to do next."""


class PodmanMissingError(PodmanError, MissingEquipmentError):
    """There is no podman, or nothing that runs its containers."""


class Podman:
    """A podman that knows only what it was given here.

    Attributes:
        folder: its storage, settings and logs.
        program: the path of podman.
    """

    def __init__(self, folder: Path, program: str, runtime: str, driver: str) -> None:
        self.folder = folder
        self.program = program
        self.driver = driver
        storage, containers = folder / "storage.conf", folder / "containers.conf"
        storage.write_text(_STORAGE.format(folder=folder, driver=driver), "utf-8")
        containers.write_text(_CONTAINERS.format(folder=folder, runtime=runtime), "utf-8")
        (folder / "networks").mkdir(exist_ok=True)
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(containers),
            "CONTAINERS_STORAGE_CONF": str(storage),
            "TMPDIR": str(folder),
        }

    def run(self, *words: str, limit_s: float = 60.0, given: str | None = None) -> str:
        """Run one podman command and return what it prints.

        Args:
            words: such as "image", "inspect", "localhost/base".
            limit_s: after so many seconds it is ended.
            given: its standard input.

        Raises:
            PodmanError: it failed, or took longer; the message repeats its last words.
        """
        try:
            done = subprocess.run(
                [self.program, *words],
                env=self.environment,
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PodmanError(
                f"`podman {' '.join(words[:2])}` did not end within {limit_s:g} s: try again when"
                " the machine is less busy."
            ) from error
        if done.returncode:
            raise PodmanError(_sentence(words, done.stderr or done.stdout))
        return done.stdout

    def import_tar(self, image: str, tar: Path, *changes: str) -> None:
        """Make an image of one layer out of a tar file.

        Args:
            image: its name.
            tar: the file.
            changes: lines of a Dockerfile, such as "ENV LANG=C.UTF-8".

        Raises:
            PodmanError: podman does not take it.
        """
        lines = [word for each in changes for word in ("--change", each)]
        self.run("import", *lines, str(tar), image, limit_s=120)

    def build(
        self,
        context: Path,
        image: str,
        *,
        args: Mapping[str, str] | None = None,
        limit_s: float = 300.0,
    ) -> str:
        """Build an image from a Dockerfile without pulling anything; returns the build's output.

        Raises:
            PodmanError: a step failed; the message repeats what the step said.
        """
        given = [f"--build-arg={name}={value}" for name, value in (args or {}).items()]
        # A layer that was built before is used again where what goes into it is the same.
        words = ["--isolation=chroot", "--pull=never", "--layers", "--tag", image]
        return self.run("build", *words, *given, str(context), limit_s=limit_s)

    def play(self, manifest: str, *, limit_s: float = 60.0) -> None:
        """Run the pods of a manifest: what `podman kube play` makes of it.

        Raises:
            PodmanError: it is no manifest, or a container does not start.
        """
        self.run("kube", "play", "--start", "-", given=manifest, limit_s=limit_s)

    def logs(self, pod: str) -> str:
        """The last lines that a pod's containers printed; empty when there are none."""
        words = [self.program, "pod", "logs", "--tail", "20", pod]
        done = subprocess.run(
            words,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # where podman repeats what came on standard error
            timeout=30,
            check=False,
        )
        return done.stdout.decode("utf-8", "replace")

    def stop(self, pod: str, *, grace_s: float) -> None:
        """Send a pod SIGTERM, after `grace_s` seconds SIGKILL, and remove it.

        Raises:
            PodmanError: there is no such pod, or it does not end.
        """
        self.run("pod", "stop", "--time", f"{grace_s:.0f}", pod, limit_s=grace_s + 30)
        self.run("pod", "rm", "--force", "--time", "0", pod)

    def pid(self, pod: str) -> int:
        """The process that a pod of one container runs, as this machine counts processes.

        Raises:
            PodmanError: the pod does not run.
        """
        rows = self.run("ps", "--filter", f"pod={pod}", "--format", "{{.Pid}} {{.Names}}")
        for row in rows.splitlines():
            number, name = row.split()
            if not name.endswith("-infra"):  # the container that holds the pod's addresses
                return int(number)
        raise PodmanError(f"{pod} has ended: look at what it printed:\n{self.logs(pod)}")

    def pods(self) -> list[str]:
        """The names of its pods, running or not."""
        return self.run("pod", "ps", "--format", "{{.Name}}").split()

    def close(self) -> None:
        """End every container at once and unmount their storage."""
        for words in (
            ("pod", "rm", "--all", "--force", "--time", "0"),
            ("rm", "--all", "--force", "--time", "0"),
        ):
            with suppress(PodmanError):
                self.run(*words, limit_s=30)
        if self.driver == "overlay":
            # The storage is a mount point of its own, which a removed folder must not be.
            with suppress(OSError, subprocess.TimeoutExpired):
                mount = str(self.folder / "storage" / "overlay")
                subprocess.run(["umount", mount], capture_output=True, timeout=10, check=False)


@contextmanager
def podman() -> Iterator[Podman]:
    """podman for a block, in a temporary folder.

    Raises:
        PodmanError: podman or a runtime is not installed, or this user may not run containers.
    """
    program = shutil.which("podman")
    runtime = shutil.which("crun") or shutil.which("runc")
    if program is None or runtime is None:
        what = "podman" if program is None else "runc"
        raise PodmanMissingError(f"{what} is not installed: {INSTALL}.")
    # The path is short, because the sockets of a container have names of 108 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="pod-"))
    try:
        one = _first_that_works(folder, program, Path(runtime).name)
        try:
            yield one
        finally:
            one.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first_that_works(folder: Path, program: str, runtime: str) -> Podman:
    """With layers by overlay where the file system allows it, else with copies of them."""
    refused: PodmanError | None = None
    for driver in ("overlay", "vfs"):
        one = Podman(folder, program, runtime, driver)
        try:
            one.run("info", "--format", "{{.Store.GraphDriverName}}")
        except PodmanError as error:
            refused = refused or error
            one.close()
            shutil.rmtree(folder / "storage", ignore_errors=True)
        else:
            return one
    raise PodmanError(
        "podman cannot run containers here: run this as root, or set podman up for this user"
        f" (man podman, section Rootless mode). {refused}"
    ) from refused


def _sentence(words: Sequence[str], said: str) -> str:
    """What failed and the last words on it, with what to do where that is known."""
    last = said.strip()[-_LAST_CHARACTERS:] or "no words"
    what = "kube play" if words[0] == "kube" else words[0]
    advice = {
        "build": "correct the step of the Dockerfile that is named last",
        "kube play": "correct the manifest, or look at the container's own words",
    }.get(what, "look at what it says")
    if "address already in use" in said:
        advice = "a port is taken: stop the program that uses it, or choose another port"
    if "permission denied" in said.lower() or "not permitted" in said:
        advice = "this needs rights that you do not have here: run it as root"
    return f"`podman {what}` failed ({advice}). It said:\n{last}"
