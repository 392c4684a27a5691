"""`course deploy-check`: what is wrong in manifests, before a cluster gets them."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from helpers.deploy.finding import Finding


def deploy_check(argv: Sequence[str]) -> int:
    """Print findings; 1 where one is an error, or where nothing could be checked."""
    parser = argparse.ArgumentParser(
        prog="course deploy-check",
        description="Check Kubernetes manifests: schema, policy, and what must agree between them."
        " Nothing is sent anywhere. Exit status 1 where an error was found or nothing could be"
        " checked; warnings alone give 0.",
    )
    parser.add_argument("dir", metavar="DIR", type=Path, help="kustomization, folder, or file")
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    parser.add_argument(
        "--kubernetes",
        metavar="VERSION",
        action="append",
        help="validate for this version, such as 1.37; may be repeated (the newest three)",
    )
    options = parser.parse_args(argv)
    from helpers.deploy.check import judge
    from helpers.deploy.render import load
    from helpers.deploy.sources import ManifestError

    try:
        items = load(options.dir)
        findings = judge(items, options.kubernetes)
    except ManifestError as problem:
        print(f"course deploy-check: {problem}", file=sys.stderr)
        if options.json:
            print(json.dumps({"objects": 0, "findings": [], "problem": str(problem)}))
        return 1
    counts = Counter[str](one.severity for one in findings)
    if options.json:
        report = {"objects": len(items), "findings": [asdict(one) for one in findings]}
        print(json.dumps(report, ensure_ascii=False))
    else:
        print(_as_text(findings, len(items), counts))
    return int(counts["error"] > 0)


def _as_text(findings: Sequence[Finding], objects: int, counts: Counter[str]) -> str:
    said = [
        f"{number} {word}{'' if number == 1 or word == 'not checked' else 's'}"
        for word in ("error", "warning", "not checked")
        if (number := counts[word]) or word != "not checked"
    ]
    closing = f"{objects} object{'' if objects == 1 else 's'}: {', '.join(said)}."
    return "\n\n".join([*map(str, findings), closing])


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"deploy-check": deploy_check}
