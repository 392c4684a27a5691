"""Ray and Serve for a notebook, a command or a test: started once a process, always stopped.

Every address is on loopback and no usage statistics are sent. One listener is the exception: Ray
2.60 binds one gRPC port of each Serve replica to all interfaces and has no setting for it.
"""

import atexit
import json
import logging
import os
import platform
import shutil
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from helpers.loading import time_factor
from helpers.scale.errors import ClusterError, DeploymentError, RayError
from helpers.sockets import listen

HOST = "127.0.0.1"
STORE_MB = 100
JOINED = "COURSE_RAY"
"""Set by the tests alone: the cluster that this process joins, as `{"address": …, "url": …}`."""

_SHARED_MEMORY = Path("/dev/shm")
_PROBE_S = 3.0
# How a client of HTTP/2 begins, with an empty frame of settings; a server answers with its own.
_HTTP2_BEGINS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_SETTINGS = 4

_running: "RunningRay | None" = None


class RunningRay:
    """A cluster with Serve on it, to which this process is connected.

    Attributes:
        address: of the cluster, `host:port`, for `ray.init` and `RAY_ADDRESS`.
        url: where Serve answers over HTTP.
    """

    def __init__(self, address: str, url: str, cluster: Any = None, folder: str = "") -> None:
        self.address = address
        self.url = url
        self._cluster = cluster  # None where the cluster belongs to another process
        self._folder = folder
        self._apps: set[str] = set()

    def serve(
        self, app: Any, name: str = "app", *, route: str | None = "", limit_s: float = 120.0
    ) -> str:
        """Deploy an application, wait until it runs, and return its URL.

        An application of that name is replaced, replica by replica.

        Args:
            app: what `bind` made.
            name: of the application.
            route: where it answers, by default at `/name`; None: by handles alone.
            limit_s: seconds until it must run, times `COURSE_TIME_FACTOR`.

        Raises:
            DeploymentError: it failed to start, or not all of it ran within `limit_s` seconds.
        """
        from ray import serve

        self._apps.add(name)
        route = f"/{name}" if route == "" else route
        target = serve.RunTarget(app, name=name, route_prefix=route)
        serve.run_many([target], wait_for_applications_running=False)
        _until_running(name, limit_s * time_factor())
        return f"{self.url}{route or ''}".rstrip("/")

    def delete(self, name: str) -> None:
        """Take an application away."""
        from ray import serve

        serve.delete(name)
        self._apps.discard(name)

    def add_node(self, cpus: float = 1.0) -> Any:
        """Another node on this machine, for `kill_node`; from the main thread alone.

        Ray puts a signal handler in place, which Python does not allow elsewhere.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RayError("Ray adds nodes from the main thread alone: call add_node there.")
        return self._own("add a node").add_node(num_cpus=cpus, **_light())

    def other_nodes(self) -> list[Any]:
        """The nodes beside the head, for `kill_node`."""
        return list(self._own("name its nodes").worker_nodes)

    def kill_node(self, node: Any) -> None:
        """End all processes of a node at once, as a power cut does."""
        self._own("kill a node").remove_node(node, allow_graceful=False)

    def stop(self) -> None:
        """Stop Ray and everything on it; of a joined cluster only what was started here."""
        global _running
        import ray

        if _running is self:
            _running = None
        if self._cluster is None and ray.is_initialized():
            for name in [*self._apps]:
                with suppress(Exception):  # the cluster may be gone already
                    self.delete(name)
        ray.shutdown()
        _end(self._cluster, self._folder)

    def _own(self, what: str) -> Any:
        if self._cluster is None:
            raise RayError(
                f"Cannot {what}: the cluster at {self.address} was started by another process."
                " Do it there."
            )
        return self._cluster


def start_ray(
    nodes: int = 1, cpus: float = 4.0, *, host: str = HOST, port: int | None = None
) -> RunningRay:
    """Start Ray and Serve on this machine, or return what this process has started already.

    Args:
        nodes: how many, the head included.
        cpus: of each node, as Ray counts them; they may be more than the machine has.
        host: where Serve listens, on this machine alone by default; Ray itself always does that.
        port: likewise; by default a free one.

    Raises:
        ClusterError: it did not start in two tries, the port is taken, or shared memory is short.
    """
    global _running
    if _running is not None:
        return _running
    if joined := os.environ.get(JOINED):
        where = json.loads(joined)
        return join_ray(where["address"], url=where["url"])
    _check_shared_memory(nodes)
    port = _free_port(host, port)
    _set_up(HOST)
    try:
        _running = _start(nodes, cpus, host, port)
    except Exception:  # Ray waits 30 s for its node and no longer, which a busy machine misses
        try:
            _running = _start(nodes, cpus, host, port)
        except Exception as error:
            raise ClusterError(
                f"Ray did not start in two tries ({_last_line(error)}): close other programs, or"
                " wait until the machine is less busy, and try again."
            ) from error
    atexit.register(_running.stop)
    return _running


def join_ray(address: str, *, url: str = "", host: str = HOST, port: int = 8000) -> RunningRay:
    """Connect to a running cluster, as `RAY_ADDRESS` names it, and start Serve where none runs.

    Args:
        address: `host:port`, or `ray://host:port` from a machine outside of the cluster.
        url: Serve's HTTP address where it is known; else it is on `host` and `port`.
        host: see `url`.
        port: see `url`.

    Raises:
        ClusterError: nothing answers there, or it is a cluster of another Ray version.
    """
    global _running
    if _running is not None:
        return _running
    _probe(address)
    _set_up(address)
    import ray
    from ray import serve

    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        with suppress(Exception):
            ray.shutdown()
        raise ClusterError(_why_not_joined(address, error)) from error
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    serve.start(http_options={"host": host, "port": port})
    _running = RunningRay(address, url or f"http://{host}:{port}")
    if not _answers(f"{_running.url}/-/healthz"):
        expected = _running.url
        _running.stop()
        raise ClusterError(
            f"Serve runs on the cluster at {address}, and does not answer at {expected}: name"
            " the address at which it listens by --host and --port."
        )
    atexit.register(_running.stop)
    return _running


def _start(nodes: int, cpus: float, host: str, port: int) -> RunningRay:
    import ray
    from ray import serve
    from ray.cluster_utils import Cluster

    _default_folder().mkdir(parents=True, exist_ok=True)
    # A short path: the sockets in it have names of at most 107 bytes.
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp" if os.name == "posix" else None)
    cluster = None
    try:
        cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": cpus,
                "include_dashboard": False,
                "include_log_monitor": False,
                "no_monitor": True,
                "temp_dir": folder,
                **_light(),
            },
        )
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=cpus, **_light())
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        serve.start(
            proxy_location=serve.config.ProxyLocation.HeadOnly,
            http_options={"host": host, "port": port},
        )
    except BaseException:
        with suppress(Exception):
            ray.shutdown()
        _end(cluster, folder)
        raise
    return RunningRay(cluster.address, f"http://{host}:{port}", cluster, folder)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=_PROBE_S):
            return True
    except HTTPError:  # as long as Serve has no application, it answers 503
        return True
    except OSError:
        return False


def _light() -> dict[str, Any]:
    return {"object_store_memory": STORE_MB * 2**20}


def _default_folder() -> Path:
    """Where Ray notes the newest cluster's address, even of one that has a folder of its own.

    It makes the latter alone, so on a machine where Ray never ran the start fails.
    """
    mine = "TMPDIR" if sys.platform.startswith("linux") else ""
    given = os.environ.get("RAY_TMPDIR") or os.environ.get(mine)
    posix = "/tmp" if os.name == "posix" else tempfile.gettempdir()
    return Path(given or posix) / "ray"


def _end(cluster: Any, folder: str) -> None:
    if cluster is not None:
        with suppress(Exception):  # a node that has died already
            cluster.shutdown()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def _set_up(address: str) -> None:
    """What Ray reads from the environment, in this process and in those that it starts."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # By this name Ray has the switch with which all its parts listen on loopback alone. It counts
    # where Ray was not imported before; `helpers` sets it for this machine.
    here = address.partition(":")[0] in {HOST, "localhost"}
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0" if here else "1"


def _free_port(host: str, port: int | None) -> int:
    try:
        sock = listen(host, port or 0)
    except OSError as error:
        raise ClusterError(
            f"{host}:{port} cannot be had ({error.strerror}): stop the program that uses it, or"
            " choose another port; 0 takes a free one."
        ) from error
    with sock:
        found: int = sock.getsockname()[1]
        return found


def _check_shared_memory(nodes: int) -> None:
    if not _SHARED_MEMORY.exists():  # macOS and Windows
        return
    free, needed = shutil.disk_usage(_SHARED_MEMORY).free / 2**20, nodes * STORE_MB
    if free < needed:
        raise ClusterError(
            f"{_SHARED_MEMORY} has {free:.0f} MB free, and Ray needs {needed} MB for {nodes}"
            " node(s): delete files there, or start the container with more (docker run"
            " --shm-size=1g)."
        )


def _probe(address: str) -> None:
    """Raise ClusterError where no gRPC server answers: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit() and 0 < int(port) < 65536):
        raise ClusterError(
            f"{address!r} is not the address of a Ray cluster: write host:port, for instance"
            " 127.0.0.1:6379, in --address or RAY_ADDRESS."
        )
    try:
        with socket.create_connection((host, int(port)), _PROBE_S) as sock:
            sock.settimeout(_PROBE_S)
            sock.sendall(_HTTP2_BEGINS)
            if sock.recv(9)[3:4] != bytes([_SETTINGS]):
                raise ClusterError(_no_cluster(address, "something else listens there"))
    except OSError as error:
        raise ClusterError(_no_cluster(address, _last_line(error))) from error


def _no_cluster(address: str, why: str) -> str:
    return (
        f"No Ray cluster answers at {address} ({why}): check --address or RAY_ADDRESS, and that the"
        " cluster runs (`ray start --head` prints its address)."
    )


def _why_not_joined(address: str, error: Exception) -> str:
    import ray

    if "Version mismatch" not in str(error):
        return _no_cluster(address, _last_line(error))
    there = _after("The cluster was started with:", str(error))
    return (
        f"The cluster at {address} runs {there}, and this environment Ray {ray.__version__},"
        f" Python {platform.python_version()}: install the same versions on both sides."
    )


def _after(title: str, text: str) -> str:
    """The two lines below a title in Ray's message, as "Ray 2.50.0, Python 3.12.1"."""
    lines = text.partition(title)[2].strip().splitlines()[:2]
    return ", ".join(line.strip().replace(": ", " ") for line in lines) or "another version of Ray"


def _until_running(name: str, limit_s: float) -> None:
    from ray import serve
    from ray.serve.schema import ApplicationStatus

    deadline = time.monotonic() + limit_s
    while True:
        app = serve.status().applications.get(name)
        if app and app.status == ApplicationStatus.RUNNING:
            return
        failed = app and app.status == ApplicationStatus.DEPLOY_FAILED
        if failed or time.monotonic() > deadline:
            raise DeploymentError(_why_not_started(name, app, None if failed else limit_s))
        time.sleep(0.1)


def _why_not_started(name: str, app: Any, limit_s: float | None) -> str:
    when = "did not start" if limit_s is None else f"did not run within {limit_s:g} s"
    parts = app.deployments if app else {}
    late = {each: state for each, state in parts.items() if state.status.value != "HEALTHY"}
    for deployment, state in late.items():
        if state.message:
            return f"{deployment} of {name!r} {when}: {_last_line(state.message)}."
    if late:
        return (
            f"{', '.join(late)} of {name!r} {when}: replicas are missing. Give it longer, or look"
            " whether the cluster has the CPUs and the memory that they ask for."
        )
    return f"{name!r} {when}: {_last_line(app.message) if app else 'Serve does not know it'}."


def _last_line(error: Exception | str) -> str:
    """What went wrong, without the traceback above it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__
