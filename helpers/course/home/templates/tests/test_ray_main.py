import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from langchain_core.embeddings import Embeddings
from langgraph.checkpoint.memory import InMemorySaver
from ray import serve as ray_serve
from ray.exceptions import RayError, RayTaskError

import ray_main
import serve
import serve_app
import service
from fakes import ScriptedModel, WordEmbeddings, calls, scripted

WEIGHT = "Lamp: The lamp weighs 2 kg."
LIBRARY: Any = serve_app.Library  # its types do not say that it is a deployment
FAILED: Any = RayTaskError
MODELS: list[ScriptedModel] = []


def last_model(name: str) -> ScriptedModel:
    """The same object in each part: what a function of a module returns is not copied."""
    assert name == "fake:model"
    return MODELS[-1]


def in_this_process(
    rows: Sequence[Mapping[str, Any]], make_embeddings: Callable[[], Embeddings], workers: int
) -> Iterator[dict[str, Any]]:
    """What Ray Data does in many processes, in another order than the rows'."""
    worker = serve_app.Embed(make_embeddings)
    for row in reversed(rows):
        batch = worker({name: [value] for name, value in row.items()})
        yield {name: values[0] for name, values in batch.items()}


async def alone(library: Any, question: str) -> Any:
    """A vector as `embed` gives it: Serve gathers calls only in a replica."""
    (vector,) = await library.model.aembed_documents([question])
    return vector


@pytest.fixture
def index(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the index goes; no cluster is started."""
    monkeypatch.setenv("KEYS", str(shop / "keys.json"))
    monkeypatch.setattr(ray_main, "INDEX", shop / "index")
    monkeypatch.setattr(ray_main, "make_model", lambda name: scripted())
    monkeypatch.setattr(ray_main, "make_embeddings", lambda name: WordEmbeddings())
    monkeypatch.setattr(ray_main, "embedded", in_this_process)
    monkeypatch.setattr(serve_app, "ActorSaver", InMemorySaver)
    monkeypatch.setattr(LIBRARY.func_or_class, "embed", alone)
    return shop / "index"


@pytest.fixture
def built(index: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A customer's key, for a service whose index is there."""
    assert ray_main.main(["--build-index"]) == 0
    assert serve.main(["--new-key", "ann"]) == 0
    return capsys.readouterr().out.splitlines()[-1]


def test_the_index_has_each_sentence_in_its_place(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ray_main.main(["--build-index"]) == 0
    assert capsys.readouterr().out == f"3 texts are in {index}.\n"
    texts, vectors = serve_app.read_index(index)
    found = [text["sentence"] for text in texts]
    assert found == [WEIGHT, "Lamp: It is green.", "Lamp: It takes 40 W."]
    expected = WordEmbeddings().embed_documents(found)
    assert np.allclose(vectors, expected)


def test_the_parts_answer_a_customer_together(built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = scripted(calls("search_documents", {"query": WEIGHT}), "It weighs 2 kg.", "You asked.")
    monkeypatch.setattr(ray_main, "make_model", last_model)
    MODELS.append(model)
    apps: list[FastAPI] = []

    def make_app(*args: Any, **limits: Any) -> FastAPI:
        apps.append(service.make_app(*args, **limits))
        return apps[-1]

    monkeypatch.setattr(serve_app, "make_app", make_app)
    ray_serve.run(ray_main.app({}), name="test", _local_testing_mode=True)
    client = TestClient(apps[0])
    wrong = client.post("/chat", json={"message": "Hi"}, headers={"Authorization": "Bearer guess"})
    assert wrong.status_code == 401
    headers = {"Authorization": f"Bearer {built}"}
    reply = client.post("/chat/stream", json={"message": "How heavy is it?"}, headers=headers)
    events = [part.splitlines() for part in reply.text.strip().split("\n\n")]
    told = [(name[7:], json.loads(data[6:])["text"]) for name, data in events]
    assert "".join(text for name, text in told if name == "token") == "It weighs 2 kg."
    assert told[-1] == ("done", "It weighs 2 kg.")
    assert WEIGHT in str(model.seen[1])
    again = client.post("/chat", json={"message": "What did I ask?"}, headers=headers)
    assert again.json() == {"answer": "You asked."}
    assert "How heavy is it?" in str(model.seen[2])


def test_it_says_when_nothing_is_missing(built: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ray_main.main([]) == 0
    assert "serve run serve.yaml" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        (
            "index/vectors.npy",
            None,
            "index that can be read: `python ray_main.py --build-index`",
        ),
        ("index/vectors.npy", "", "no index that can be read"),
        ("index/texts.json", "{", "no index that can be read"),
        ("index/texts.json", "[{}]", "no index that can be read"),
        ("index/texts.json", "[]", "no index that can be read"),
        ("documents/new.md", "# Pot\n\nIt is red.", "has other texts than the documents"),
        ("keys.json", "{}", "has no key: `python serve.py --new-key C-0042`"),
    ],
)
@pytest.mark.usefixtures("built")
def test_what_is_missing_is_one_sentence(
    file: str, text: str | None, says: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is None:
        (shop / file).unlink()
    else:
        (shop / file).write_text(text, "utf-8")
    assert ray_main.main([]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "words"), [("MODEL", []), ("EMBEDDINGS", []), ("EMBEDDINGS", ["--build-index"])]
)
@pytest.mark.usefixtures("built")
def test_a_variable_that_is_not_set(
    variable: str,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv(variable)
    assert ray_main.main(words) == 2
    assert capsys.readouterr().err.startswith(f"Set {variable} to a model, for instance openai:")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            FAILED("embed", "Traceback", ConnectionError("no network\nmore")),
            "ConnectionError: no network.",
        ),
        (RayError("It died.\nTraceback\nValueError: no key.\n"), "ValueError: no key."),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
    ],
)
@pytest.mark.usefixtures("index")
def test_a_worker_that_fails_is_one_sentence(
    error: Exception,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def failing(*args: Any) -> Iterator[dict[str, Any]]:
        yield {"place": 0}
        raise error

    monkeypatch.setattr(ray_main, "embedded", failing)
    assert ray_main.main(["--build-index"]) == 2
    assert capsys.readouterr().err == f"The index cannot be built. {says}\n"
