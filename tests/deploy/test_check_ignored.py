"""An annotation with a reason ignores one rule for one object, and the report says so."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import cli
from helpers.deploy import check_folder
from tests.deploy.bundle import BOX, GONE, bundle, changed, found, put

KEY = "ignore-check.deploy-check/"
ONE_POD = {"Deployment model: spec.replicas": 1, "PodDisruptionBudget model": GONE}
REASON = "It keeps its state in memory."


def written(folder: Path, changes: dict[str, Any], *, annotations: dict[str, str]) -> Path:
    """The right bundle with changes, and with annotations of the model's Deployment."""
    docs = changed({**changes, "Deployment model: metadata.annotations": annotations})
    (folder / "all.yaml").write_text(yaml.safe_dump_all(docs), encoding="utf-8")
    return folder


def run(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    status = cli.main(["deploy-check", str(folder), *options])
    return status, capsys.readouterr().out


def test_one_rule_is_ignored_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, ONE_POD, annotations={f"{KEY}one-replica": f" {REASON}\n"})
    status, said = run(folder, capsys)
    assert (status, said.splitlines()) == (0, ["12 objects: 0 errors, 0 warnings, 1 ignored."])
    report = json.loads(run(folder, capsys, "--json")[1])
    assert report["findings"] == []
    (ignored,) = report["ignored"]
    assert (ignored["rule"], ignored["ignored"]) == ("one-replica", REASON)
    (finding,) = check_folder(folder)
    assert finding.ignored == REASON
    assert str(finding).endswith(f"Ignored: {REASON}")


def test_an_error_that_is_ignored_does_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {f"Deployment model: {BOX}.env": [{"name": "API_KEY", "value": "example"}]}
    folder = written(tmp_path, changes, annotations={f"{KEY}secret-literal": "No real key."})
    assert run(folder, capsys)[0] == 0
    folder = written(tmp_path, changes, annotations={})
    assert run(folder, capsys)[0] == 1


@pytest.mark.parametrize(
    "annotations",
    [
        {f"{KEY}one-replica": ""},
        {f"{KEY}one-replica": " \n"},
        {f"{KEY}one-replicas": REASON},
        {f"{KEY}no-pdb": REASON},
        {KEY: REASON},
        {"ignore-check.kube-linter.io/one-replica": REASON},
    ],
)
def test_without_a_reason_or_for_another_rule_nothing_is_ignored(
    annotations: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, ONE_POD, annotations=annotations)
    report = json.loads(run(folder, capsys, "--json")[1])
    assert report["ignored"] == []
    assert [one["rule"] for one in report["findings"]] == ["one-replica"]


def test_another_object_stays_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = {f"Deployment {name}: {BOX}.image": name for name in ("agent", "model")}
    folder = written(tmp_path, changes, annotations={f"{KEY}image-tag": "It is built here."})
    report = json.loads(run(folder, capsys, "--json")[1])
    assert [one["object"] for one in report["findings"]] == ["Deployment agent"]
    assert [one["object"] for one in report["ignored"]] == ["Deployment model"]


def test_help_and_fix_say_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["deploy-check", "--help"])
    assert f'{KEY}RULE: "reason"' in " ".join(capsys.readouterr().out.split())
    (finding,) = check_folder(written(tmp_path, ONE_POD, annotations={}))
    assert f"{KEY}one-replica" in finding.fix


def test_one_pod_of_a_stateful_set_is_right() -> None:
    deployment = bundle()["Deployment model"]
    put(deployment, "spec.replicas", 1)
    put(deployment, "kind", "StatefulSet")
    put(deployment, "spec.serviceName", "model")
    assert found({"Deployment model": deployment, "PodDisruptionBudget model": GONE}) == {}
