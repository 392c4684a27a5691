"""`course rollout`: the service's image, two pods behind HAProxy, and a new version under load."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from helpers import outfile
from helpers.columns import aligned
from helpers.deploy import image as images
from helpers.deploy.image import Layer
from helpers.deploy.measure import SLOTS, last_arrival, measure, start_seconds
from helpers.deploy.numbers import Both, block, is_measurement, save
from helpers.deploy.podman import Podman, PodmanError, podman
from helpers.deploy.proxy import find_haproxy
from helpers.deploy.rollout import (
    CLIENTS,
    LATE_S,
    VARIANTS,
    Ask,
    PodmanPods,
    Pods,
    ProcessPods,
    Rolled,
    Rollout,
    Variant,
)
from helpers.deploy.subset import service_packages
from helpers.evaluate import evidence
from helpers.evaluate.evidence import Figure
from helpers.evaluate.version import current_version
from helpers.faults import EquipmentError
from helpers.paths import ROOT
from helpers.testbed import openai_server

COMMAND = "course rollout"
_IMAGE = "localhost/fernhill:{version}"
_START_S = 120.0
_NEVER_READY = "3"
_NEVER_READY_S = 8.0
_NOWHERE = "http://127.0.0.1:1/v1"
_ANSWER, _WORD_S = "It weighs 2.1 kg.", 0.02
_SERVE = ("python3", "-m", "helpers.cli", "serve", "--host", "127.0.0.1", "--port")
_SERVE_MODEL = ("python3", "/srv/model_server.py", "127.0.0.1")


@dataclass
class Report:
    """What was built and what became of the requests.

    Attributes:
        layers: of the image; empty where processes stand in for pods.
        image_mb: its size in megabytes.
        build_s: seconds to build it; without the base.
        rebuild_s: seconds to build it again after a change of code.
        rolled: one for each variant.
        never_ready: the rollout of a version that never becomes ready.
        measured: one pod of the service and one of the model; None where processes stand in.
    """

    layers: list[Layer] = field(default_factory=list)
    image_mb: float = 0.0
    build_s: float = 0.0
    rebuild_s: float = 0.0
    rolled: list[Rolled] = field(default_factory=list)
    never_ready: Rolled | None = None
    measured: Both | None = None


def main(argv: Sequence[str]) -> int:
    """Build, run, roll, count and write; 1 when it cannot be done or a careful rollout lost one."""
    options = _options(argv)

    def say(text: str) -> None:
        print(f"{COMMAND}: {text}", file=sys.stderr, flush=True)

    # Asked to stop, it ends its pods as after Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if not options.processes:
            evidence.refuse_fast_mode(COMMAND)
        version = current_version()
        variants = VARIANTS if options.all else VARIANTS[-1:]
        found = run(options.requests, variants, pods=not options.processes, say=say)
        file = None
        if not options.processes:
            file = evidence.write(
                "rollout", {**figures(found), **uses(found)}, command=COMMAND, version=version
            )
        if options.save and found.measured:
            save(found.measured, options.save)
    except evidence.FastMode as problem:
        say(str(problem))
        return 1
    except PodmanError as problem:
        say(f"{problem}\nWithout podman: course rollout --processes")
        return 1
    except (EquipmentError, outfile.OutError) as problem:
        say(str(problem))
        return 1
    except OSError as problem:
        say(f"{problem}: check your rights and the space there, and try again.")
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
    print(as_table(found))
    if file is not None:
        print(f"\nEvidence of the last two rollouts: {file}")
    return int(any(figure.value for figure in figures(found).values()))


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Build the service's image, run two pods of it behind HAProxy, and roll out a "
        "new version, and one that never becomes ready, while eight clients ask an instant model; "
        "then measure one pod, print the numbers for the manifests, and write the evidence for the "
        "checklist's item rollout. Needs podman, runc and HAProxy.",
    )
    parser.add_argument("--requests", type=int, default=1000, help="of each rollout, at least")
    parser.add_argument(
        "--all", action="store_true", help="also the rollouts that leave something out, and lose"
    )
    parser.add_argument(
        "--processes", action="store_true", help="processes instead of pods; writes no evidence"
    )
    parser.add_argument(
        "--save",
        type=outfile.named(".yaml", ".yml"),
        metavar="FILE",
        help="keep the measurement of one pod, as YAML; an earlier one is replaced",
    )
    options = parser.parse_args(argv)
    if options.requests < 1:
        parser.error("--requests must be at least 1")
    if options.save and options.processes:
        parser.error("--save needs pods: leave out --processes")
    if options.save:
        try:
            outfile.check(options.save, is_measurement)
        except outfile.OutError as problem:
            parser.error(f"--save: {problem}")
    return options


def run(
    requests: int,
    variants: Sequence[Variant],
    *,
    pods: bool = True,
    say: Callable[[str], None] = print,
) -> Report:
    """Build the image twice, then roll it out; two to five minutes.

    Args:
        requests: of each rollout, at least.
        variants: of the rollout, the most careful one last.
        pods: whether podman runs the service; else it runs in processes.
        say: is told what is done next.

    Raises:
        EquipmentError: podman or HAProxy is missing, or something does not work.
    """
    find_haproxy()
    found = Report()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollout-")))
        one = stack.enter_context(podman()) if pods else None
        if one is not None:
            _build(one, folder / "context", found, say)
        key, kept = _issue(folder / "keys.json")
        model = stack.enter_context(openai_server(lambda _: _ANSWER, token_s=_WORD_S))
        settings = {
            "COURSE_SERVICE_KEYS": kept,
            "COURSE_SERVICE_PATH": "plain",
            "COURSE_SERVICE_UPSTREAM_URL": model.url,
            "COURSE_SERVICE_RATE": "1000000/minute",
            "COURSE_SERVICE_DAILY_TOKENS": "1000000000",
            "COURSE_SERVICE_PER_CUSTOMER": "200",
            "COURSE_SERVICE_RUNNING": "16",
        }
        what: Pods = (
            PodmanPods(one, partial(_service_pod, settings))
            if one is not None
            else stack.enter_context(
                closing(ProcessPods(lambda *words: _process(settings, *words)))
            )
        )
        ask = Ask(
            "/v1/chat/stream",
            {"message": "How much does the Alta 2 tent weigh?"},
            {"Authorization": f"Bearer {key}"},
        )
        for variant in variants:
            say(f"rollout: {variant.name}")
            with Rollout(what, ask, variant, start_s=_START_S).running("1") as rollout:
                found.rolled.append(rollout.roll("2", requests=requests))
                if variant is variants[-1]:
                    say("rollout of a version that never becomes ready")
                    found.never_ready = rollout.roll(
                        _NEVER_READY, requests=max(1, requests // 5), start_s=_NEVER_READY_S
                    )
        if one is not None:
            say("one pod of the service, and one of the model's server, under load")
            last = found.rolled[-1]
            found.measured = measure(
                one,
                lambda url: (
                    lambda name, port: _service_pod(
                        {**settings, "COURSE_SERVICE_UPSTREAM_URL": url}, name, port, "1"
                    )
                ),
                _model_pod,
                ask,
                instant=model.url,
                requests=requests,
                starts=start_seconds(last),
                last_arrival=last_arrival(last),
            )
    return found


def figures(found: Report) -> dict[str, Figure]:
    """The checklist's figures, of the last variant and of the version that is never ready."""
    if found.never_ready is None:
        raise ValueError("A report without rollouts has no figures.")
    last = found.rolled[-1]
    stopped = found.never_ready
    return {
        "requests lost": Figure(last.lost + (not last.finished), last.requests),
        "requests lost to a version that is never ready": Figure(
            stopped.lost + stopped.finished, stopped.requests
        ),
    }


def uses(found: Report) -> dict[str, Figure]:
    """What one pod of each kind used and managed; nothing where it was not measured."""
    if found.measured is None:
        return {}
    pods = {"service": found.measured.service, "model": found.measured.model}
    return {
        f"{what} of a pod of the {name}": Figure(value, count)
        for name, one in pods.items()
        for what, value, count in (
            ("MiB at the most", max(one.memory), len(one.memory)),
            ("seconds until ready, at the most,", max(one.starts), len(one.starts)),
            ("requests a minute", one.per_pod, 1),
            ("seconds of the longest answer", one.longest, 1),
        )
    }


def as_table(found: Report) -> str:
    """The report for a terminal."""
    lines: list[str] = []
    if found.layers:
        rows = [["MB", "layer"], *([f"{each.mb:.1f}", each.made_by] for each in found.layers)]
        lines += [
            *(line[:100] for line in aligned(rows)),
            f"Image: {found.image_mb:.0f} MB, built in {found.build_s:.0f} s; after a change of"
            f" code in {found.rebuild_s:.1f} s.",
            "",
        ]
    rows = [["rollout", "requests", "lost", "late", "what the lost ones saw"]]
    for each in _all(found):
        name = "a version that is never ready" if each is found.never_ready else each.variant.name
        saw = ", ".join(f"{reason}: {count}" for reason, count in each.reasons().most_common())
        rows.append([name, str(each.requests), str(each.lost), str(each.late), saw or "-"])
    lines += [
        f"{CLIENTS} clients, streamed answers of 100 ms; late: first word after {LATE_S:g} s.",
        *aligned(rows),
        "",
        f"The rollout {found.rolled[-1].variant.name}: answers of each pod, in the seconds in which"
        " something happened:",
    ]
    whole = found.rolled[-1].timeline()
    timeline = [row for row in whole if row["lost"] or row["what happened"]] or whole
    lines += aligned(
        [list(timeline[0]), *([str(cell) for cell in row.values()] for row in timeline)]
    )
    return "\n".join([*lines, *(["", block(found.measured)] if found.measured else [])])


def _all(found: Report) -> list[Rolled]:
    return [*found.rolled, *([found.never_ready] if found.never_ready else [])]


def _build(one: Podman, folder: Path, found: Report, say: Callable[[str], None]) -> None:
    say("the base image")
    images.make_base(one, packages=service_packages())
    say("the folder to build from")
    images.write_context(folder)
    say("the image")
    began = time.monotonic()
    images.build(one, folder, _IMAGE.format(version="1"))
    found.build_s = time.monotonic() - began
    say("the image again, after a change of code")
    began = time.monotonic()
    images.write_code(folder)
    with (folder / "helpers/service/description.py").open("a") as file:
        file.write("# The second version.\n")
    images.build(one, folder, _IMAGE.format(version="2"))
    found.rebuild_s = time.monotonic() - began
    found.layers = images.layers(one, _IMAGE.format(version="2"))
    found.image_mb = images.size_mb(one, _IMAGE.format(version="2"))


def _issue(file: Path) -> tuple[str, str]:
    """A key of a customer, and what the service keeps of it."""
    words = [sys.executable, "-m", "helpers.cli", "serve", "--issue", "C-0042", "--keys", str(file)]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    if said.returncode:
        raise EquipmentError(f"The service gave out no key. It said:\n{said.stderr.strip()}")
    return said.stdout.split()[0], json.dumps(json.loads(file.read_text("utf-8")))


def _environment(settings: dict[str, str], version: str) -> dict[str, str]:
    """Version 3 has a wrong address of the model, so that it never becomes ready."""
    wrong = {"COURSE_SERVICE_UPSTREAM_URL": _NOWHERE} if version == _NEVER_READY else {}
    return {**settings, **wrong}


def _service_pod(settings: dict[str, str], name: str, port: int, version: str) -> str:
    image = _IMAGE.format(version="2" if version == _NEVER_READY else version)
    return _pod(name, image, [*_SERVE, str(port)], _environment(settings, version))


def _model_pod(name: str, port: int) -> str:
    # One thread, because a pod sees the cores of its node and not its own share of them.
    env = {"COURSE_SLOTS": str(SLOTS), "COURSE_THREADS": "1"}
    return _pod(name, _IMAGE.format(version="1"), [*_SERVE_MODEL, str(port)], env)


def _pod(name: str, image: str, words: Sequence[str], env: Mapping[str, str]) -> str:
    """The manifest of a pod on this machine's network, locked down as in the cluster."""
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "Never",
        "command": list(words),
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "temporary", "mountPath": "/tmp"}],
    }
    spec = {
        "hostNetwork": True,
        "containers": [container],
        "volumes": [{"name": "temporary", "emptyDir": {}}],
    }
    return json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec,
    })  # fmt: skip


def _process(settings: dict[str, str], port: int, version: str) -> list[str]:
    words = [f"{name}={value}" for name, value in _environment(settings, version).items()]
    serve = ["-m", "helpers.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    return ["env", *words, f"PYTHONPATH={ROOT}", sys.executable, *serve]


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"rollout": main}
