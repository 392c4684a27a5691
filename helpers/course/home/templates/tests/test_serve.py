import hashlib
import importlib
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

import chat
import serve
from fakes import calls, scripted
from service import SILENCE_S

LOOK = calls("lookup_order", {"order_id": "FH-00001"})
ORDER = "Where is FH-00001?"


@pytest.fixture
def keys(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of keys that is not there yet; the logging is afterwards as it was."""
    monkeypatch.setenv("KEYS", str(shop / "keys.json"))
    for variable in ("KEYS_JSON", "LOG_LEVEL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(chat, "make_model", lambda name: scripted())
    yield shop / "keys.json"
    logging.getLogger("service").handlers = []


def made(capsys: pytest.CaptureFixture[str], customer: str = "ann") -> str:
    """A new key, as the command prints it."""
    assert serve.main(["--new-key", customer]) == 0
    return capsys.readouterr().out.strip()


def stream(client: TestClient, text: str, key: str) -> list[tuple[str, Any]]:
    """The events of an answer."""
    headers = {"Authorization": f"Bearer {key}"}
    reply = client.post("/chat/stream", json={"message": text}, headers=headers)
    assert reply.status_code == 200
    events = [part.splitlines() for part in reply.text.strip().split("\n\n")]
    return [(name[7:], json.loads(data[6:])) for name, data in events]


def test_a_customer_reads_an_own_order_and_another_does_not(
    keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    orders = json.loads(chat.ORDERS.read_text("utf-8"))
    orders.append({**orders[0], "id": "FH-00002", "customer": "bob"})
    chat.ORDERS.write_text(json.dumps(orders), "utf-8")
    model = scripted(LOOK, "It is there.", LOOK, "A lamp.")
    monkeypatch.setattr(chat, "make_model", lambda name: model)
    ann, bob = made(capsys), made(capsys, "bob")
    with TestClient(serve.create_app()) as client:
        *tokens, done = stream(client, ORDER, ann)
        other = stream(client, ORDER, bob)
    assert "Items: Lamp." in str(model.seen[1])
    assert [name for name, _ in tokens] == ["token"] * 3
    assert "".join(data["text"] for _, data in tokens) == "It is there."
    assert done == ("done", {"text": "It is there."})
    assert other[-1] == ("done", {"text": "You have no order FH-00001."})


def test_without_a_key_nobody_is_answered(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = made(capsys)
    (kept,) = json.loads(keys.read_text("utf-8"))
    with TestClient(serve.create_app()) as client:
        for shown in ({}, {"Authorization": f"Bearer {kept}"}, {"Authorization": f"Basic {key}"}):
            reply = client.post("/chat", json={"message": "Hi"}, headers=shown)
            assert reply.status_code == 401
            assert reply.json()["status"] == 401
        assert client.get("/readyz").json() == {"status": "ready"}


def test_the_file_has_the_digest_and_not_the_key(
    keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = made(capsys), made(capsys)
    assert first != second
    assert len(first) >= 43
    digests = [hashlib.sha256(key.encode()).hexdigest() for key in (first, second)]
    assert json.loads(keys.read_text("utf-8")) == dict.fromkeys(digests, "ann")
    assert [path.name for path in keys.parent.glob("keys*")] == ["keys.json"]


def test_it_logs_json_lines_without_the_customers_words(
    keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The second question has no reply left: the model fails.
    monkeypatch.setattr(chat, "make_model", lambda name: scripted("Hello."))
    key = made(capsys)
    with TestClient(serve.create_app()) as client:
        stream(client, "A secret", key)
        ((name, data),) = stream(client, "A secret", key)
    assert (name, data["status"]) == ("error", 502)
    said = capsys.readouterr().out
    assert "A secret" not in said
    lines = [json.loads(line) for line in said.splitlines()]
    assert all(line["time"] and line["level"] for line in lines)
    found = [line.get("service") or line.get("ended") or line["message"] for line in lines]
    assert found == ["started", "done", "the agent failed", "error", "stopped"]
    assert "Traceback" in lines[2]["error"]
    assert lines[1]["customer"] == "ann"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "has no key: `python serve.py --new-key C-0042` makes one."),
        ("{}", "has no key"),
        ("[]", "has to be a JSON object"),
        ('{"the-key-itself": "ann"}', "has to be a JSON object"),
        (json.dumps({"0" * 64: ""}), "has to be a JSON object"),
        ("", "has to be a JSON object"),
    ],
)
def test_keys_that_cannot_be_used(
    text: str | None, says: str, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        keys.write_text(text, "utf-8")
    assert serve.main([]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "the-key-itself" not in error
    assert error.count("\n") == 1
    with pytest.raises(SystemExit) as left:
        serve.app()
    assert f"{left.value}\n" == error


def test_a_container_has_its_keys_in_a_variable(
    keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(capsys)
    monkeypatch.setenv("KEYS_JSON", keys.read_text("utf-8"))
    keys.unlink()
    monkeypatch.delitem(sys.modules, "app", raising=False)
    app = importlib.import_module("app").app
    with TestClient(app) as client:
        assert client.get("/readyz").status_code == 200
        assert client.post("/chat", json={"message": "Hi"}).status_code == 401
    for text, says in {"{}": "KEYS_JSON has no key", "keys.json": "KEYS_JSON has to be"}.items():
        monkeypatch.setenv("KEYS_JSON", text)
        assert serve.main([]) == 2
        assert says in capsys.readouterr().err


@pytest.mark.parametrize(("level", "lines"), [("debug", 2), ("info", 2), ("Error", 0), ("", 2)])
def test_the_log_has_what_its_level_says(
    level: str,
    lines: int,
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made(capsys)
    monkeypatch.setenv("LOG_LEVEL", level)
    with TestClient(serve.create_app()):
        pass
    assert len(capsys.readouterr().out.splitlines()) == lines


def test_a_level_that_there_is_not(
    keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(capsys)
    monkeypatch.setenv("LOG_LEVEL", "loud")
    assert serve.main([]) == 2
    error = capsys.readouterr().err
    assert error == "LOG_LEVEL=loud is no level: set it to debug, info, warning or error.\n"


@pytest.mark.parametrize("variable", ["MODEL", "EMBEDDINGS"])
def test_a_variable_that_is_not_set(
    variable: str, keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(capsys)
    monkeypatch.delenv(variable)
    assert serve.main([]) == 2
    assert capsys.readouterr().err.startswith(f"Set {variable} to a model, for instance openai:")


def test_a_key_that_cannot_be_made(
    keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main(["--new-key", "bob"]) == 2
    assert "no customer bob: it has ann." in capsys.readouterr().err
    assert serve.main(["--new-key", ""]) == 2
    monkeypatch.setenv("KEYS", str(keys.parent / "none/keys.json"))
    assert serve.main(["--new-key", "ann"]) == 2
    assert "cannot be written: No such file" in capsys.readouterr().err
    monkeypatch.setenv("KEYS", str(keys.parent))
    assert serve.main(["--new-key", "ann"]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert not keys.exists()


def test_it_runs_on_the_port_that_is_chosen_and_lets_readers_finish(
    keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(capsys)
    ran: list[dict[str, Any]] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **how: ran.append(how))
    assert serve.main(["--port", "8123"]) == 0
    (how,) = ran
    assert (how["host"], how["port"]) == ("127.0.0.1", 8123)
    assert how["timeout_graceful_shutdown"] >= SILENCE_S
