"""`course monitor`: Prometheus and Alertmanager on the running service.

What a subcommand does not need is not imported.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

COMMAND = "course monitor"
RULES = Path(__file__).with_name("rules.yml")
_LOOK_S = 2.0


def monitor(argv: Sequence[str]) -> int:
    """Watch until Ctrl-C or SIGTERM; 1 when it cannot start or a program ends, with the reason."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Start Prometheus, and Alertmanager where it is installed, on the service that "
        "`course serve` runs, with the course's alerts. Prints their addresses, then what fires. "
        "Ctrl-C ends both.",
    )
    parser.add_argument(
        "--url", default="http://127.0.0.1:8000", help="the service (http://127.0.0.1:8000)"
    )
    parser.add_argument(
        "--rules",
        type=Path,
        default=RULES,
        metavar="FILE",
        help="your rules instead of the course's",
    )
    parser.add_argument(
        "--no-alertmanager", action="store_true", help="Prometheus alone, which shows alerts too"
    )
    options = parser.parse_args(argv)
    from helpers.faults import EquipmentError
    from helpers.monitor.testing.rules import RulesError

    # Asked to stop, it ends its programs as after Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _watch(options.url, options.rules, alertmanager=not options.no_alertmanager)
    except KeyboardInterrupt:
        print("\nStopped.", flush=True)
        return 0
    except (EquipmentError, RulesError) as problem:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
    except (OSError, UnicodeDecodeError) as problem:
        print(
            f"{COMMAND}: {options.rules} cannot be read ({problem}): give a file of rules, "
            "--rules FILE.",
            file=sys.stderr,
        )
    finally:
        signal.signal(signal.SIGTERM, before)
    return 1


def _watch(url: str, rules: Path, *, alertmanager: bool) -> None:
    from helpers.monitor.live import (
        SCRAPE_S,
        alertmanager_program,
        service_metrics,
        silent,
        watched,
    )

    text = rules.read_text("utf-8")
    scraped = service_metrics(url)
    missing = silent(text, scraped)
    with watched(scraped, text, alertmanager=alertmanager) as watching:
        print(f"Prometheus    {watching.prometheus.url}/alerts")
        if watching.alertmanager:
            print(f"Alertmanager  {watching.alertmanager.url}")
        elif alertmanager and not alertmanager_program():
            print("Alertmanager  is not installed (Debian: apt install prometheus-alertmanager)")
        print(f"Service       {scraped.url}, every {SCRAPE_S:g} s")
        print(f"Rules         {rules}")
        if missing:
            print(
                "\nThe service has no metrics with these names; alerts on them mean nothing: "
                f"{', '.join(missing)}."
            )
        print("\nCtrl-C ends it.", flush=True)
        while True:
            for each in watching.news():
                print(f"{time.strftime('%H:%M:%S')}  {each}", flush=True)
            time.sleep(_LOOK_S)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"monitor": monitor}
