"""`course deploy-check`: what is wrong in manifests, before a cluster gets them."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from helpers.deploy.finding import IGNORE, Finding

_ALWAYS = ("error", "warning")
"""What the last line counts even where there is none."""


def deploy_check(argv: Sequence[str]) -> int:
    """Print findings; 1 where one is an error, or where nothing could be checked."""
    parser = argparse.ArgumentParser(
        prog="course deploy-check",
        description="Check Kubernetes manifests: schema, policy, and what must agree between them."
        " Nothing is sent anywhere. Exit status 1 where an error was found or nothing could be"
        " checked; warnings alone give 0.",
        epilog="To ignore one rule for one object, give the object an annotation that says why:"
        f' {IGNORE}RULE: "reason". RULE is what is in brackets at the end of a finding. Without a'
        " reason nothing is ignored. What is ignored is counted in the last line, is listed with"
        " its reason by --json, and does not change the exit status.",
    )
    parser.add_argument("dir", metavar="DIR", type=Path, help="kustomization, folder, or file")
    parser.add_argument(
        "--json", action="store_true", help="findings, and what is ignored, as JSON"
    )
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
        every = judge(items, options.kubernetes)
    except ManifestError as problem:
        print(f"course deploy-check: {problem}", file=sys.stderr)
        if options.json:
            nothing = {"objects": 0, "findings": [], "ignored": []}
            print(json.dumps({**nothing, "problem": str(problem)}))
        return 1
    findings = [one for one in every if not one.ignored]
    ignored = [one for one in every if one.ignored]
    counts = Counter[str](one.severity for one in findings) + Counter({"ignored": len(ignored)})
    if options.json:
        report = {
            "objects": len(items),
            "findings": [asdict(one) for one in findings],
            "ignored": [asdict(one) for one in ignored],
        }
        print(json.dumps(report, ensure_ascii=False))
    else:
        print(_as_text(findings, len(items), counts))
    return int(counts["error"] > 0)


def _as_text(findings: Sequence[Finding], objects: int, counts: Counter[str]) -> str:
    said = [
        f"{number} {word}{'s' if number != 1 and word in _ALWAYS else ''}"
        for word in (*_ALWAYS, "not checked", "ignored")
        if (number := counts[word]) or word in _ALWAYS
    ]
    closing = f"{objects} object{'' if objects == 1 else 's'}: {', '.join(said)}."
    return "\n\n".join([*map(str, findings), closing])


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"deploy-check": deploy_check}
