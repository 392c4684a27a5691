"""`course new`: what it writes, that it runs without the course, and what it refuses."""

import io
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import cli
from helpers.authoring.alone import run_alone
from helpers.course.home import PROGRAMS, TEMPLATES, project
from helpers.course.home.requirements import bounded, imported, packages
from helpers.paths import ROOT
from tests.every import every_answer

# Walkthroughs import programs from there, and Python keeps what it has compiled beside them.
PROGRAM_NAMES = sorted(
    path.relative_to(PROGRAMS).as_posix()
    for path in PROGRAMS.rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
)


PYTEST = (
    "import os, pytest; os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'; "
    "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', *sys.argv[1:]]))"
)


# A file, what is right in it, and a mistake that the project's own tests have to find.
MISTAKES = [
    ("ask.py", "yield chunk.text", "yield ''"),
    ("agent.py", "fullmatch(text.strip())", "search(text.strip())"),
    ("agent.py", "if score >= threshold else NOT_FOUND", ""),
    ("orders.py", " or order.customer != customer_id", ""),
    ("orders.py", "not 0 < amount <= order.left", "not 0 < amount"),
    ("chat.py", "memory.delete_thread(thread)", "pass"),
    ("serve.py", "**read_customers(file), ", ""),
    ("measure.py", "with self.gauge.track_inprogress():", "if True:"),
    ("measure.py", "if not 0 <= price < math.inf:", "if price < 0:"),
    ("measure.py", ".with_config(callbacks=[AgentMeter(counted, usd)])", ""),
    ("measure.py", ", Depends(Gate(RUNNING, WAITING))", ""),
    ("measure.py", "max_body_size=32_000, ", ""),
    ("thrifty.py", '{"lookup_order", "issue_refund"}', '{"lookup_order"}'),
    ("thrifty.py", "AnswerFromResults(), budget]", "AnswerFromResults()]"),
    ("guards.py", "if any(self.secret in read for read in readings(text)):", "if False:"),
    ("guards.py", 'parts.scheme == "https" and', "True or"),
    ("policy.py", "self.refusal(request) or handler(request)", "handler(request)"),
    ("policy.py", "amount.is_finite() and amount > 0", "True"),
    ("policy.py", "0 < amount <= most", "True"),
    ("tiers.py", "if marks(asked) != marks(stored):", "if False:"),
    ("tiers.py", 'document.metadata["key"] == key', "True"),
    ("tiers.py", 'if "total_cost" in usage:', "if False:"),
    ("tiers.py", "self._left += most - actual", "pass"),
    ("tracing.py", "ContextThreadPoolExecutor(workers)", "ThreadPoolExecutor(workers)"),
    ("tracing.py", 'float("nan") if run.total_cost is None', "0.0 if run.total_cost is None"),
    ("tracing.py", "max(own[key] - seconds, 0.0)", "own[key] - seconds"),
    (
        "tracing.py",
        'table.assign(least=least).sort_values("least"',
        'table.assign(least=least).sort_values("raised"',
    ),
    ("tracing.py", "if str(asked) not in examples:", "if True:"),
    ("tracing.py", ", max_depth=30", ""),
    ("traces.py", 'frame[frame["cost"].notna()] if len(frame) else frame', "frame"),
    ("evals.py", "and not extra", ""),
    ("evals.py", 'multipletests(table["p"], method="holm")[1]', 'table["p"]'),
    ("ship.py", "if reasons:", "if False:"),
    ("rules.yml", "agent_tool_calls_total", "tool_calls_total"),
    ("rules.yml", 'le="3.0"', 'le="3.5"'),
    ("mcp_server.py", "isinstance(cause, ToolError)", "True"),
    ("mcp_server.py", "approved.get(each.name) == digest(each)", "each.name in approved"),
    ("serve_mcp.py", "if score >= chat.THRESHOLD else None", ""),
    ("serve_mcp.py", "shop_orders(), customer_of_token)", 'shop_orders(), lambda: "ann")'),
    ("page.py", "turn.problem = str(problem)", "pass"),
    ("ray_main.py", 'known != [row["sentence"] for row in texts()]', "not known"),
    ("ray_main.py", "partial(make, os.environ[variable])", "partial(make, variable)"),
]
# Each starts a process that imports LangChain: of each file the last one is tried, unless
# `COURSE_EVERY_ANSWER` asks for all.
LAST = {name: (name, right, wrong) for name, right, wrong in MISTAKES}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learner") / "shop-agent"
    assert cli.main(["new", str(folder)]) == 0
    return folder


def tool(written: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=written, capture_output=True, text=True, check=False
    )


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_it_has_every_program_and_template(written: Path) -> None:
    templates = [
        path.relative_to(TEMPLATES).as_posix().removesuffix(".j2")
        for path in TEMPLATES.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert PROGRAM_NAMES
    assert set(PROGRAM_NAMES) | set(templates) <= set(files(written))


@pytest.mark.slow
def test_its_tests_pass_where_the_course_is_not(written: Path) -> None:
    # All tests of the project in one process: two minutes are too few on a busy machine.
    done = run_alone(PYTEST, path=written, cwd=written, timeout_s=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d passed", done.stdout)
    # The rules are tried with promtool, which no package brings.
    assert ("skipped" in done.stdout) == (shutil.which("promtool") is None)


def test_the_course_is_not_there_in_such_a_process(written: Path) -> None:
    done = run_alone("import helpers", path=written, cwd=ROOT)
    assert "No module named 'helpers'" in done.stderr


def test_every_mistake_changes_something(written: Path) -> None:
    unchanged = [right for name, right, _ in MISTAKES if right not in (written / name).read_text()]
    assert not unchanged


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "right", "wrong"), MISTAKES if every_answer() else [*LAST.values()]
)
def test_its_tests_find_a_broken_file(name: str, right: str, wrong: str, tmp_path: Path) -> None:
    cli.main(["new", str(tmp_path / "broken")])
    file = tmp_path / "broken" / name
    text = file.read_text("utf-8")
    file.write_text(text.replace(right, wrong), "utf-8")
    own = f"tests/test_{file.stem}.py"
    assert run_alone(PYTEST, "-x", own, path=file.parent, cwd=file.parent).returncode == 1


@pytest.mark.parametrize("words", [["ruff", "check", "."], ["ruff", "format", "--check", "."]])
def test_ruff_finds_nothing_by_the_projects_own_rules(written: Path, words: list[str]) -> None:
    done = tool(written, *words, "--no-cache")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_mypy_finds_nothing_by_the_projects_own_rules(written: Path) -> None:
    done = tool(written, "mypy", "--cache-dir", str(written.parent / "cache"))
    assert done.returncode == 0, done.stdout
    assert f"in {len(list(written.rglob('*.py')))} source files" in done.stdout


def test_no_file_speaks_of_the_course_or_of_this_machine(written: Path) -> None:
    for name in files(written):
        text = (written / name).read_text("utf-8")
        assert not re.search(r"helpers|fernhill|course build|COURSE_", text, re.IGNORECASE), name
        assert str(ROOT) not in text
        left = re.sub(r"\{\{ \$\w+|\$\{\{ ", "", text)  # the blanks of a rule and of GitHub stay
        assert "{{" not in left, name
        assert "{%" not in text


def test_pyproject_names_what_the_files_import_and_no_more(written: Path) -> None:
    made = tomllib.loads((written / "pyproject.toml").read_text("utf-8"))
    assert made["project"]["name"] == "shop-agent"
    course = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert course["requires-python"].startswith(made["project"]["requires-python"])
    code = [set(imported(p.read_text("utf-8"))) for p in written.glob("*.py")]
    extras = made["project"]["optional-dependencies"]
    needed = packages(module for modules in code for module in modules)
    parts = [line for name in extras if name != "dev" for line in extras[name]]
    whole = {*made["project"]["dependencies"], *parts}
    assert sorted(whole) == sorted(bounded(needed))
    assert "langchain-openai" in needed  # init_chat_model imports it by name
    apart = {
        "ray",
        "streamlit",
        "statsmodels",
        "pandas",
        "mcp",
    }  # not what the image of the service needs
    service = [modules for modules in code if not modules & apart]
    without = packages(module for modules in service for module in modules)
    assert made["project"]["dependencies"] == bounded(without)
    names = {name: [re.split(r"[<>=]", line)[0] for line in extras[name]] for name in extras}
    assert names["page"] == ["httpx2", "streamlit"]
    assert names["ray"] == ["pyarrow", "ray[serve]"]  # Ray Data needs pyarrow
    assert names["evals"] == ["agentevals", "langsmith", "pandas", "scipy", "statsmodels"]
    assert names["traces"] == ["langsmith", "pandas", "scipy"]
    assert names["mcp"] == ["langchain-mcp-adapters", "mcp"]
    assert names["dev"] == [
        "shop-agent[page,ray,evals,traces,mcp]",
        "mypy",
        "pytest",
        "pyyaml",
        "ruff",
    ]
    assert made["tool"]["setuptools"]["py-modules"] == sorted(p.stem for p in written.glob("*.py"))


@pytest.mark.parametrize(
    ("pins", "name", "bound"),
    [
        ("shop==1.4.7 \\\n", "Shop", "shop>=1.4.7,<2"),
        ("shop==0.17.6 \\\n", "shop", "shop>=0.17.6,<0.18"),
        ("shop==2026.10.1 \\\n", "shop", "shop>=2026.10.1,<2027"),
        ("shop==3 \\\n", "shop", "shop>=3,<4"),
        ("shop==17!10.1.0 \\\n", "shop", "shop>=17!10.1.0,<17!11"),  # an epoch
        ("shop==0.0.5 \\\n", "shop", "shop>=0.0.5,<0.1"),
        ("ray==2.60.0 \\\n", "ray", "ray[serve]>=2.60.0,<3"),
        ("the-shop==1.0 ; x\nthe-shop==2.1 ; y\n", "the_shop", "the-shop>=1.0,<3"),
    ],
)
def test_bounds_are_the_locks(tmp_path: Path, pins: str, name: str, bound: str) -> None:
    (tmp_path / "requirements.lock").write_text(pins)
    (tmp_path / "requirements-dev.lock").write_text("")
    assert bounded([name], root=tmp_path) == [bound]
    with pytest.raises(LookupError, match="do not have other"):
        bounded(["other", name], root=tmp_path)


def test_readme_speaks_of_the_files_that_are_there(written: Path) -> None:
    readme = (written / "README.md").read_text("utf-8")
    assert readme.startswith("# shop-agent\n")
    linked = re.findall(r"\]\((?!https:)([^)]+)\)", readme)
    assert {"main.py", *PROGRAM_NAMES} <= set(linked)
    named = re.findall(r"[\w./-]+\.(?:py|ya?ml|toml)\b|\bk8s\b|\bDockerfile\b", readme)
    for name in {*linked, *named}:
        assert (written / name).exists(), name
    for program in written.glob("*.py"):
        for function in re.findall(r"^def ([a-z]\w*)", program.read_text("utf-8"), re.MULTILINE):
            assert program.name not in PROGRAM_NAMES or f"`{function}`: " in readme


def test_the_metrics_that_readme_and_the_autoscaler_name_are_counted(written: Path) -> None:
    readme = (written / "README.md").read_text("utf-8")
    section = readme.partition("\n## Measure it\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `(\w+?)(?:_total)?` \|", section, re.MULTILINE)
    hpa = yaml.safe_load((written / "k8s/overlays/prod/hpa.yaml").read_text("utf-8"))
    named += [metric["pods"]["metric"]["name"] for metric in hpa["spec"]["metrics"]]
    code = "".join((written / name).read_text("utf-8") for name in ("metrics.py", "measure.py"))
    counted = re.findall(r'(?:Counter|Gauge|Histogram)\(\s*"(\w+)"', code)
    assert set(named) == set(counted)
    for file in ("rules.yml", "rules_test.yml", "prometheus.yml"):
        assert f" {file}" in section.replace("=", " "), file


def test_ci_runs_what_readme_says_and_only_the_gate_takes_a_secret(written: Path) -> None:
    text = (written / ".github/workflows/ci.yml").read_text("utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert [name for name, job in jobs.items() if "secrets" in str(job)] == ["gate"]
    assert jobs["gate"]["if"] == "${{ vars.MODEL != '' }}"
    assert jobs["gate"]["steps"][-1]["run"] == "python ship.py"
    steps = jobs["test"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    readme = (written / "README.md").read_text("utf-8")
    assert len(commands) == 4
    assert all(f"\n{command}\n" in readme for command in commands)
    rules = [step["run"] for step in yaml.safe_load(text)["jobs"]["rules"]["steps"][1:]]
    assert [each.partition(" ")[0] for each in rules] == ["sudo", "sudo", "promtool", "promtool"]
    for command in rules[2:] if shutil.which("promtool") else []:
        subprocess.run(command.split(), cwd=written, check=True, capture_output=True)


def test_a_program_that_is_not_there_is_not_spoken_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A template that imports it is left out, too."""
    templates = tmp_path / "templates"
    for name in files(TEMPLATES):
        if "__pycache__" not in name:
            (templates / name).parent.mkdir(parents=True, exist_ok=True)
            (templates / name).write_bytes((TEMPLATES / name).read_bytes())
    (templates / "tests/test_agent.py").write_text("from agent import build\n\nassert build\n")
    monkeypatch.setattr(project, "TEMPLATES", templates)
    programs = tmp_path / "programs"
    (programs / "k8s").mkdir(parents=True)
    (programs / "ask.py").write_bytes((PROGRAMS / "ask.py").read_bytes())
    monkeypatch.setattr(project, "PROGRAMS", programs)
    without = project.contents("one")
    assert "tests/test_agent.py" not in without
    assert "chat.py" not in without
    assert "tests/test_chat.py" not in without  # it imports chat.py
    assert '["ask", "main", "orders"]' in without["pyproject.toml"]
    assert "ray" not in without["pyproject.toml"]
    assert "ray" not in without["README.md"].lower()
    assert "kube" not in "".join(without.values()).lower()
    assert not {"app.py", ".dockerignore", "tests/test_kubernetes.py"} & {*without}
    assert "chat" not in without["README.md"].replace("integrations/chat", "")
    (programs / "agent.py").write_text(
        "# Written by `course build` from notebooks/src/01_build_an_agent.py: edit it there.\n\n"
        'import yaml\n\n\ndef build() -> str:\n    """The agent.\n\n    More."""\n'
        "    return yaml.dump(1)\n"
    )
    (programs / "k8s/hpa.yaml").write_text(
        "# Written by `course build` from notebooks/src/07_run_on_kubernetes.py: edit it there.\n"
        "kind: HorizontalPodAutoscaler\n"
    )
    made = project.contents("one")
    assert made["agent.py"].startswith(
        "# From the course's walkthrough 01_build_an_agent. It is yours to change.\n\nimport yaml"
    )
    assert "tests/test_agent.py" in made
    assert "| [agent.py](agent.py) | `build`: The agent |" in made["README.md"]
    assert "| [k8s/hpa.yaml](k8s/hpa.yaml) | From the course's walk" in made["README.md"]
    assert '"pyyaml>=' in made["pyproject.toml"]
    assert '["agent", "ask", "chat", "main", "orders"]' in made["pyproject.toml"]
    (programs / "ask.py").unlink()
    with pytest.raises(project.ProjectError, match="`course build 00` makes them"):
        project.contents("one")


def test_a_folder_that_is_not_empty_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/.hidden").write_text("mine")
    assert cli.main(["new", str(tmp_path / "mine")]) == 2
    error = capsys.readouterr().err
    assert "is not empty" in error
    assert error.count("\n") == 1
    assert files(tmp_path) == ["mine/.hidden"]


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine")
    assert cli.main(["new", str(tmp_path / "mine")]) == 2
    assert "is a file" in capsys.readouterr().err
    assert cli.main(["new", str(tmp_path / "mine/inside")]) == 1
    assert "cannot be written: Not a directory" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "inside"),
    [("a/b/shop", "a/b/shop"), ("shop/", "shop"), ("./shop", "shop"), ("Shop_2.x", "Shop_2.x")],
)
def test_a_path(words: str, inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", words]) == 0
    name = tomllib.loads((tmp_path / inside / "pyproject.toml").read_text("utf-8"))["project"]
    assert name["name"] == Path(inside).name


@pytest.mark.parametrize("words", [".", "../empty", "./."])
def test_an_empty_folder_that_is_there(
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert cli.main(["new", words]) == 0
    assert 'name = "empty"' in Path("pyproject.toml").read_text("utf-8")
    assert "Next: read README.md. " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("my shop!", "my-shop"),
        ("-shop", "shop"),
        ("shop-", "shop"),
        ("Müller & Söhne", "muller-sohne"),
        ("店", "my-agent"),
        ("_shop", "shop"),
        ('a"b', "a-b"),
    ],
)
def test_a_name_that_is_no_package_name(
    name: str, better: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["new", "--", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert f"{name!r} is no package name" in error
    assert error.endswith(f"course new {tmp_path / better}\n")
    assert files(tmp_path) == []
    assert cli.main(["new", str(tmp_path / better)]) == 0


def test_a_suggestion_for_the_folder_that_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my shop").mkdir()
    monkeypatch.chdir(tmp_path / "my shop")
    assert cli.main(["new", "."]) == 2
    assert capsys.readouterr().err.endswith("course new ../my-shop\n")


@pytest.mark.parametrize("name", ["langchain", "LangChain_Core", "pytest", "ruff"])
def test_the_name_of_a_package_that_it_needs(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["new", str(tmp_path / name)]) == 2
    assert f"for instance my-{name}" in capsys.readouterr().err
    assert files(tmp_path) == []


@pytest.mark.parametrize("words", [[], [""], [" "], ["a", "b"]])
def test_no_folder(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["new", *words])
    assert left.value.code == 2
    assert "DIR" in capsys.readouterr().err or len(words) > 1


@pytest.mark.parametrize("name", ["x" * 300, "nul\0"])
def test_a_name_that_the_system_does_not_take(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["new", str(tmp_path / name)]) in (1, 2)
    assert capsys.readouterr().err.startswith("course new: ")
    assert files(tmp_path) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("there", [True, False])
def test_nothing_half_written_is_left(
    error: BaseException,
    there: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "up" / "shop" if not there else tmp_path / "shop"
    if there:
        folder.mkdir()
    real, count = Path.open, 0

    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            super().write(data[:3])
            raise error

    def filling_up(self: Path, mode: str = "r", **more: Any) -> Any:
        nonlocal count
        count += mode == "xb"
        return Full(self, "x") if count == 5 else real(self, mode, **more)

    monkeypatch.setattr(Path, "open", filling_up)
    status = cli.main(["new", str(folder)])
    monkeypatch.undo()
    assert status == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert count == 5
    assert [p.name for p in tmp_path.rglob("*")] == (["shop"] if there else [])
    said = capsys.readouterr().err
    assert "No space left" in said or "Stopped" in said
