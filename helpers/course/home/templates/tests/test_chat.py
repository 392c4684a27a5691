import io
from pathlib import Path

import pytest

import chat
from fakes import WordEmbeddings, calls, scripted

MAKE_EMBEDDINGS = chat.make_embeddings


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Let these lines come from the keyboard."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


@pytest.mark.usefixtures("shop")
def test_it_answers_each_line_in_one_conversation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = scripted(calls("lookup_order", {"order_id": "FH-00001"}), "A lamp.", "You said hi.")
    monkeypatch.setattr(chat, "make_model", lambda name: model)
    typed(monkeypatch, "What is in FH-00001?", "What did I say?", "", "Not asked.")
    assert chat.main(["--customer", "ann"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["A lamp.", "You said hi."]
    assert "Items: Lamp." in str(model.seen[1])
    assert [m.text for m in model.seen[2] if m.type == "human"] == [
        "What is in FH-00001?",
        "What did I say?",
    ]


class Lost(WordEmbeddings):
    """A server that goes away when it is asked about one word."""

    def embed_query(self, text: str) -> list[float]:
        if text == "lost":
            raise ConnectionError("no network\nhere is more")
        return super().embed_query(text)


@pytest.mark.usefixtures("shop")
def test_after_an_error_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = scripted(calls("search_documents", {"query": "lost"}), "Hello.")
    monkeypatch.setattr(chat, "make_model", lambda name: model)
    monkeypatch.setattr(chat, "make_embeddings", lambda name: Lost())
    typed(monkeypatch, "First.", "Second.")
    assert chat.main([]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1:] == ["Hello."]
    assert err == "No answer. ConnectionError: no network. The conversation begins again.\n"
    assert "First." not in str(model.seen[1])


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("variable", ["MODEL", "EMBEDDINGS"])
def test_a_variable_that_is_not_set(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chat, "make_model", lambda name: scripted())
    monkeypatch.delenv(variable)
    assert chat.main([]) == 2
    assert capsys.readouterr().err.startswith(f"Set {variable} to a model, for instance openai:")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("name", "says"),
    [("nobody:knows", "'nobody' is not supported"), ("any", "has the provider in front")],
)
def test_embeddings_that_nobody_has(
    name: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chat, "make_model", lambda name: scripted())
    monkeypatch.setattr(chat, "make_embeddings", MAKE_EMBEDDINGS)
    monkeypatch.setenv("EMBEDDINGS", name)
    assert chat.main([]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"EMBEDDINGS={name} cannot be used. ValueError: ")
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("documents/lamp.md", b"It is green.", "has no title"),
        ("documents/lamp.md", b"# Lamp\n\n", "nothing to answer from"),
        ("documents/lamp.md", b"# Lamp\n\n\xff", "UTF-8"),
        ("orders.json", b"[{]", "cannot be used"),
        ("orders.json", b"[]", "no customer ann"),
    ],
)
def test_bad_files_are_one_sentence(
    file: str,
    text: bytes,
    says: str,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (shop / file).write_bytes(text)
    monkeypatch.setattr(chat, "make_model", lambda name: scripted())
    assert chat.main(["--customer", "ann"]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_no_documents_no_orders_no_such_customer(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chat, "make_model", lambda name: scripted())
    assert chat.main(["--customer", "bob"]) == 2
    assert "no customer bob: it has ann." in capsys.readouterr().err
    (shop / "orders.json").unlink()
    assert chat.main([]) == 2
    assert "orders.json cannot be used" in capsys.readouterr().err
    (shop / "documents/lamp.md").unlink()
    (shop / "orders.json").write_text("[]")
    assert chat.main([]) == 2
    assert "put Markdown files into" in capsys.readouterr().err


def test_scores_are_printed_from_the_best_on(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "questions.txt").write_text("Which king?\n\nIs the lamp green?\n", "utf-8")
    assert chat.main(["--scores", str(shop / "questions.txt")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "Is the lamp green?" in first
    assert first > second
    (shop / "questions.txt").write_text("\n")
    assert chat.main(["--scores", str(shop / "questions.txt")]) == 2
    assert chat.main(["--scores", str(shop / "none.txt")]) == 2
    error = capsys.readouterr().err
    assert "has no questions" in error
    assert "none.txt cannot be read" in error


def test_a_document_is_read_by_paragraphs_without_headings(shop: Path) -> None:
    pages = chat.read_documents(shop / "documents")
    assert [page.page_content for page in pages] == [
        "The lamp weighs 2 kg. It is green.",
        "It takes 40 W.",
    ]
    assert {page.metadata["title"] for page in pages} == {"Lamp"}


def test_the_documents_of_this_project_can_be_read() -> None:
    assert chat.read_documents(Path(chat.__file__).parent / "documents")
