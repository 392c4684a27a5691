"""File and line of a finding, in plain files and through what kustomize does to them."""

import json
import shutil
from pathlib import Path

import pytest

from helpers import cli
from helpers.deploy import Finding, check_folder
from tests.deploy.bundle import RIGHT


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The right bundle, in a folder of its own."""
    return Path(shutil.copytree(RIGHT, tmp_path / "base"))


def overlay(base: Path, text: str) -> Path:
    folder = base.parent / "prod"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(f"resources: [../base]\n{text}", encoding="utf-8")
    return folder


def replace(path: Path, old: str, new: str) -> int:
    """Change the first `old` in a file; the line that it is on."""
    before, found, after = path.read_text("utf-8").partition(old)
    assert found
    path.write_text(before + new + after, encoding="utf-8")
    return before.count("\n") + 1


def only(folder: Path, rule: str) -> Finding:
    (finding,) = [one for one in check_folder(folder) if one.rule == rule]
    return finding


def written(finding: Finding) -> str:
    """The line that a finding names."""
    return Path(finding.file).read_text("utf-8").splitlines()[finding.line - 1].strip()


def test_a_value_in_a_resource(base: Path) -> None:
    line = replace(base / "service.yaml", "targetPort: http", "targetPort: web")
    finding = only(base, "service-port")
    assert (finding.file, finding.line) == (str(base / "service.yaml"), line)
    assert str(finding).startswith(f"{base / 'service.yaml'}:{line}: error: Service agent: ")


def test_a_mistyped_field(base: Path) -> None:
    line = replace(base / "service.yaml", "readinessProbe:", "readinesProbe:")
    assert only(base, "schema-field").line == line


def test_something_missing_is_named_at_its_container(base: Path) -> None:
    replace(base / "model.yaml", "            limits: {memory: 800Mi}\n", "")
    assert written(only(base, "no-memory-limit")) == "resources:"


def test_a_strategic_patch_in_a_file(base: Path) -> None:
    folder = overlay(base, "patches: [path: p.yaml]\nnamePrefix: eu-\n")
    (folder / "p.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: model}\nspec:\n  replicas: 1\n",
        encoding="utf-8",
    )
    finding = only(folder, "one-replica")
    assert (finding.object, finding.file) == ("Deployment eu-model", str(folder / "p.yaml"))
    assert finding.line == 5


def test_a_patch_in_the_kustomization(base: Path) -> None:
    folder = overlay(
        base,
        "patches:\n  - target: {kind: Deployment, name: model}\n    patch: |-\n"
        "      - op: replace\n        path: /spec/template/spec/containers/0/image\n"
        "        value: model:latest\n",
    )
    finding = only(folder, "image-tag")
    assert (finding.file, written(finding)) == (
        str(folder / "kustomization.yaml"),
        "value: model:latest",
    )


@pytest.mark.parametrize(
    "patches",
    [
        "patches:\n  - target: {kind: Deployment, name: model}\n    patch: |-\n      - {STEP}\n",
        "patches:\n  - target: {kind: Deployment, name: model}\n    patch: '[{STEP}]'\n",
        "patchesStrategicMerge:\n  - '{apiVersion: apps/v1, kind: Deployment, metadata:"
        " {name: model}, spec: {replicas: 1}}'\n",
    ],
)
def test_a_patch_of_one_line_in_the_kustomization(base: Path, patches: str) -> None:
    step = '{"op": "replace", "path": "/spec/replicas", "value": 1}'
    finding = only(overlay(base, patches.replace("{STEP}", step)), "one-replica")
    assert finding.file.endswith("kustomization.yaml")


def test_what_kustomize_sets_by_itself(base: Path) -> None:
    folder = overlay(
        base,
        "images:\n  - name: model\n    newTag: latest\nreplicas:\n  - name: model\n    count: 1\n",
    )
    found = {one.rule: one for one in check_folder(folder)}
    assert found.keys() == {"image-tag", "one-replica", "pdb-blocks-drain"}
    assert (written(found["image-tag"]), written(found["one-replica"])) == (
        "- name: model",
        "count: 1",
    )


def test_a_container_is_found_by_its_name_and_not_by_its_number(base: Path) -> None:
    folder = overlay(
        base,
        "patches:\n  - patch: |-\n      apiVersion: apps/v1\n      kind: Deployment\n"
        "      metadata: {name: agent}\n      spec:\n        template:\n          spec:\n"
        "            containers:\n              - name: log\n                image: log\n"
        "              - name: agent\n                image: agent:1.0.0\n",
    )
    found = [one for one in check_folder(folder) if one.rule == "image-tag"]
    assert [written(one) for one in found] == ["image: log"]


def test_a_generated_config_map(base: Path) -> None:
    replace(base / "kustomization.yaml", "LOG_LEVEL=info", "LOG_LEVEL=info\n      - API_KEY=abc")
    finding = only(base, "secret-literal")
    assert Path(finding.file).name == "kustomization.yaml"
    assert finding.object.startswith("ConfigMap agent-")


def test_a_plain_folder_and_a_list(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n"
        "  metadata:\n    name: a_b\n  spec:\n    ports: [{port: 1}]\n",
        encoding="utf-8",
    )
    finding = only(tmp_path, "bad-name")
    assert (Path(finding.file).name, finding.line) == ("b.yml", 7)


def test_the_command_prints_and_its_status_is_about_errors(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["deploy-check", str(base)]) == 0
    assert capsys.readouterr().out == "13 objects: 0 errors, 0 warnings.\n"
    replace(base / "model.yaml", "image: model:2.1.0", "image: model")
    assert cli.main(["deploy-check", str(base)]) == 0
    out = capsys.readouterr().out
    assert "warning: Deployment model: " in out
    assert "    Why: " in out
    assert "    Fix: " in out
    assert out.endswith("\n\n13 objects: 0 errors, 1 warning.\n")
    replace(base / "model.yaml", "- port: 8080", "- port: 8081")
    assert cli.main(["deploy-check", str(base), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [one["severity"] for one in report["findings"]] == ["error", "warning"]
    assert report["objects"] == 13
    assert set(report["findings"][0]) == {*Finding.__dataclass_fields__}


def test_a_kind_of_an_extension_is_named_and_no_error(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (base / "ray.yaml").write_text(
        "apiVersion: ray.io/v1\nkind: RayService\nmetadata: {name: agent}\n", encoding="utf-8"
    )
    replace(base / "kustomization.yaml", "resources:", "resources:\n  - ray.yaml")
    assert cli.main(["deploy-check", str(base)]) == 0
    out = capsys.readouterr().out
    assert "ray.yaml:1: not checked: RayService agent: ray.io/v1 belongs to an extension" in out
    assert out.endswith("14 objects: 0 errors, 0 warnings, 1 not checked.\n")
