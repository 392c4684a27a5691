"""What `course deploy-check` says of input that it cannot check: one sentence, and nothing left."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import cli
from helpers.deploy import ManifestError, check_folder, render
from helpers.paths import ROOT

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
FILES = {
    "no YAML": ("a: [1\nb: 2\n", "bad.yaml:2: "),
    "a tab": ("a:\n\tb: 1\n", "bad.yaml:2: "),
    "a word": ("hello\n", "not-an-object"),
    "empty": ("# only a comment\n---\n", "no document is in there"),
    "anchor bomb": (BOMB, "more than 300,000 values with its anchors put in"),
    "anchor in itself": ("a: &a [*a]\n", "the anchor &a contains itself"),
    "deep": ("[" * 100_000, "nested more than 100 deep"),
    "10 MB": ("x" * 10_000_000, "has 10 MB, and at most 5 MB are read"),
    "values": ("- x\n" * 400_000, "more than 300,000 values"),
    "template": ("a: {{ .Values.a }}\n", "render templates before"),
    "half a template": ("{{- if .a }}\na: 1\n", "render it with `helm template` first"),
    "key twice": (CONFIG + "data:\n  a: x\n  a: y\n", "bad.yaml:7: the key 'a' is there twice"),
    "code": ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
}
KUSTOMIZATIONS = {
    "nothing": ("", "has no keys: begin with `resources:`"),
    "a file that is not there": ("resources: [a.yaml]", "there is no"),
    "a remote base": ("resources: ['https://acme.example/base?ref=1']", "nothing is fetched here"),
    "a remote patch": ("resources: []\npatches: [{path: 'https://acme.example/p'}]", "is fetched"),
    "a remote file": (
        "configMapGenerator: [{name: a, files: ['a=http://x.example']}]",
        "is fetched",
    ),
    "a remote schema": (
        "resources: [b.yaml]\nopenapi: {path: 'https://x.example/a'}",
        "is fetched",
    ),
    "a remote repository": ("resources: ['github.com/acme/base?ref=1']", "nothing is fetched here"),
    "a repository by ssh": ("resources: ['git@github.com:acme/base']", "nothing is fetched here"),
    "a patch that is not there": ("resources: [b.yaml]\npatches: [{path: p.yaml}]", "p.yaml: corr"),
    "a setting that is not there": (
        "configMapGenerator: [{name: a, files: [a.env]}]",
        "a.env: corr",
    ),
    "what kubectl refuses": ("resources: [b.yaml, b.yaml]", "cannot be rendered"),
    "a base that is broken": ("resources: [bad.yaml]", "bad.yaml:2: "),
}


def said(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints of a path that it cannot check: one line, also as JSON."""
    assert cli.main(["deploy-check", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("course deploy-check: ")
    assert err.count("\n") == 1
    assert cli.main(["deploy-check", str(path), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert err == f"course deploy-check: {report['problem']}\n"
    assert (report["objects"], report["findings"]) == (0, [])
    return err


@pytest.mark.parametrize("name", [name for name in FILES if name != "a word"])
def test_a_file_that_cannot_be_checked(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, sentence = FILES[name]
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    assert sentence in said(path, capsys)


@pytest.mark.parametrize("items", ["5", "x", "[]", "{a: 1}", "[1, x, [2]]", ""])
def test_a_list_without_objects(items: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"apiVersion: v1\nkind: List\nitems: {items}\n", encoding="utf-8")
    assert {one.rule for one in check_folder(path)} <= {"not-an-object"}


def test_a_document_that_is_no_object_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{CONFIG}---\nhello\n", encoding="utf-8")
    (finding,) = check_folder(tmp_path)
    assert (finding.rule, finding.line) == ("not-an-object", 6)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\xff\xfe\x00", b"a: \x00\n", b"\xff"])
def test_a_binary_file(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    assert str(path) in said(path, capsys)


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "check its name" in said(tmp_path / "nowhere", capsys)


def test_an_empty_folder_and_one_that_only_holds_kustomizations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "name a folder of manifests" in said(tmp_path, capsys)
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod" / "kustomization.yaml").write_text("resources: []\n", encoding="utf-8")
    assert f"name one of {tmp_path / 'prod'}" in said(tmp_path, capsys)


@pytest.mark.parametrize("text", ["x", "[x]", "[[x]]", "{a: b}", "[{a: b}]", "[{path: [x]}]", "1"])
def test_a_kustomization_of_wrong_types_gets_a_sentence(text: str, tmp_path: Path) -> None:
    """Whatever kubectl makes of it: what reads the files before and after it never breaks."""
    (tmp_path / "a.yaml").write_text(CONFIG, encoding="utf-8")
    keys = ["images", "replicas", "patches", "configMapGenerator", "components", "patchesJson6902"]
    for key in keys:
        content = f"resources: [a.yaml]\n{key}: {text}\n"
        (tmp_path / "kustomization.yaml").write_text(content, encoding="utf-8")
        with contextlib.suppress(ManifestError):
            check_folder(tmp_path)


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_a_kustomization_that_cannot_be_rendered_leaves_nothing(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text, sentence = KUSTOMIZATIONS[name]
    folder, temporary = tmp_path / "k8s", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    for variable in ("TMPDIR", "TEMP", "TMP", "HOME"):
        monkeypatch.setenv(variable, str(temporary))
    (folder / "kustomization.yaml").write_text(text, encoding="utf-8")
    (folder / "b.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "bad.yaml").write_text("a: [", encoding="utf-8")
    before = sorted(folder.iterdir())
    assert sentence in said(folder, capsys)
    assert sorted(folder.iterdir()) == before
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in the file system")
def test_what_is_neither_file_nor_folder_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "b.yaml").mkdir()
    for path in (tmp_path / "a.yaml", tmp_path, tmp_path / "k8s", Path("/dev/zero")):
        assert "is no file: name a file of YAML" in said(path, capsys)


def test_more_objects_than_can_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(f"---\n{CONFIG}" * 2001, encoding="utf-8")
    assert "has 2,001 objects, and at most 2,000" in said(tmp_path, capsys)


@pytest.mark.parametrize("where", ["a file", "a resource", "a patch", "a patch in the text"])
@pytest.mark.parametrize("name", ["anchor bomb", "10 MB", "deep"])
def test_what_is_too_large_takes_little_time_and_memory(
    name: str, where: str, tmp_path: Path
) -> None:
    """Whichever way it is read: within seconds of one processor, and within a gigabyte."""
    resource = pytest.importorskip("resource")
    text, sentence = FILES[name]
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "good.yaml").write_text(CONFIG, encoding="utf-8")
    kustomization = {
        "a resource": "resources: [good.yaml, bad.yaml]\n",
        "a patch": "resources: [good.yaml]\npatches: [{path: bad.yaml}]\n",
        "a patch in the text": f"resources: [good.yaml]\npatches: [patch: {json.dumps(text)}]\n",
    }
    if where in kustomization:
        (tmp_path / "kustomization.yaml").write_text(kustomization[where], encoding="utf-8")

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        if sys.platform == "linux":  # macOS refuses this limit
            resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))

    command = [sys.executable, "-m", "helpers.cli", "deploy-check", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limited, cwd=ROOT)
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_helm_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Chart.yaml").write_text("name: agent\n", encoding="utf-8")
    assert "check what `helm template` makes of it" in said(tmp_path, capsys)


def test_kubectl_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> Path:
        raise FileNotFoundError("kubectl")

    monkeypatch.setattr(render, "kubectl_path", nowhere)
    (tmp_path / "kustomization.yaml").write_text("resources: []", encoding="utf-8")
    assert "kubectl is missing from this environment" in said(tmp_path, capsys)


def test_kubectl_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(words: list[str], **options: object) -> None:
        raise subprocess.TimeoutExpired(words, 60)

    monkeypatch.setattr(subprocess, "run", late)
    (tmp_path / "kustomization.yaml").write_text("resources: []", encoding="utf-8")
    with pytest.raises(ManifestError, match="timed out"):
        check_folder(tmp_path)


def test_the_kubectl_of_the_environment_is_used_whatever_the_path_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine may have an older kubectl, with another kustomize in it."""
    seen: list[str] = []
    run = subprocess.run

    def note(words: list[str], **options: object) -> object:
        seen.append(words[0])
        return run(words, **options)  # type: ignore[call-overload]

    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "kubectl").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (fake / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(fake))
    monkeypatch.setattr(subprocess, "run", note)
    (tmp_path / "a.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]", encoding="utf-8")
    assert check_folder(tmp_path) == []
    assert Path(seen[0]).parent != fake


def test_a_version_that_there_is_no_schema_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(CONFIG, encoding="utf-8")
    assert cli.main(["deploy-check", str(tmp_path), "--kubernetes", "1.2"]) == 1
    assert "choose from 1.25 to 1." in capsys.readouterr().err
    assert cli.main(["deploy-check", str(tmp_path), "--kubernetes", "v1.30.1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "objects": 1,
        "findings": [],
        "ignored": [],
    }
