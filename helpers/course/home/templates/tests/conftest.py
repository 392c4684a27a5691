import json
from pathlib import Path

import pytest

import chat
from fakes import WordEmbeddings

ORDER = {
    "id": "FH-00001",
    "customer": "ann",
    "placed": "2026-10-05",
    "delivered": "2026-10-08",
    "items": ["Lamp"],
    "paid": "40.00",
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one document and one order, on which `chat` works."""
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents/lamp.md").write_text(
        "# Lamp\n\nThe lamp weighs\n2 kg. It is green.\n\n## Bulbs\n\nIt takes 40 W.\n", "utf-8"
    )
    (tmp_path / "orders.json").write_text(json.dumps([ORDER]), "utf-8")
    monkeypatch.setattr(chat, "DOCUMENTS", tmp_path / "documents")
    monkeypatch.setattr(chat, "ORDERS", tmp_path / "orders.json")
    monkeypatch.setattr(chat, "make_embeddings", lambda name: WordEmbeddings())
    monkeypatch.setenv("MODEL", "fake:model")
    monkeypatch.setenv("EMBEDDINGS", "fake:embeddings")
    monkeypatch.delenv("BUDGET_USD", raising=False)
    return tmp_path
