"""The manifests that a learner takes home are clean."""

import shutil
from pathlib import Path

import pytest

from helpers.deploy import check_folder
from helpers.paths import ROOT

K8S = ROOT / "helpers" / "course" / "home" / "programs" / "k8s"


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_nothing_is_found_in_the_programs_of_module_07(overlay: str) -> None:
    assert check_folder(K8S / "overlays" / overlay) == []


def test_a_fault_in_them_is_found_where_it_is_written(tmp_path: Path) -> None:
    shutil.copytree(K8S, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "base" / "service.yaml"
    text = file.read_text("utf-8").replace("targetPort: http", "targetPort: web")
    file.write_text(text, encoding="utf-8")
    (found,) = check_folder(tmp_path / "overlays" / "prod")
    assert (found.rule, found.file) == ("service-port", str(file))
    assert "targetPort: web" in text.splitlines()[found.line - 1]
