"""The project's chat.py in a process of its own: a conversation, bad input, scores."""

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.authoring.alone import run_alone
from helpers.course.home.project import new_project
from helpers.models.local import embedding_server
from helpers.testbed import openai_server
from tests.home.agent import LOG_IN, shop_model


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learner") / "shop-agent"
    new_project(folder)
    return folder


CHATTING = """
import contextlib, io, json, os, sys
import chat

found = []
for env, argv, lines in json.loads(os.environ["CASES"]):
    for variable in ("MODEL", "EMBEDDINGS", "OPENAI_API_KEY"):
        os.environ.pop(variable, None)
    os.environ.update(env)
    sys.stdin, out, err = io.StringIO(lines), io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = chat.main(argv)
    found.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(found))
"""


def chats(project: Path, url: str, cases: list[tuple[dict[str, str], list[str], str]]) -> Any:
    """For each case (variables, arguments, typed lines): status, output and errors of chat.py."""
    env = {"OPENAI_BASE_URL": url, "CASES": json.dumps(cases)}
    done = run_alone(CHATTING, path=project, cwd=project.parent, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


ALL_SET = {"MODEL": "openai:any", "EMBEDDINGS": "openai:any", "OPENAI_API_KEY": "none"}


@pytest.mark.slow
def test_the_projects_chat_talks_with_its_own_documents_and_orders(project: Path) -> None:
    lines = (
        "How heavy is the Otter pan?\nWhere is FH-20417?\nWhere is FH-20468?\n"
        "Refund £8 of FH-20417.\nRefund £51 of FH-20417.\nBefore?\n\nNot this.\n"
    )
    cases = [(ALL_SET, ["--customer", "C-0042"], lines), (ALL_SET, [], "Where is FH-20417?")]
    with openai_server(replies=shop_model) as server:
        one, nobody = chats(project, server.url, cases)
    assert one[0] == 0
    assert one[2] == ""
    _, pan, order, other, paid, more, before = one[1].splitlines()
    assert pan.startswith("Told: Otter pan: ")
    assert "Tern kettle, Tea towel" in order
    assert other == "You have no order FH-20468."
    assert paid.startswith("£8.00 of FH-20417 was paid back.")
    assert "at most £50.00" in more
    assert before.count(" + ") == 5
    assert nobody[1].endswith(f"\n{LOG_IN}\n")


@pytest.mark.slow
def test_the_projects_chat_says_what_is_missing(project: Path) -> None:
    def without(name: str) -> dict[str, str]:
        return {key: value for key, value in ALL_SET.items() if key != name}

    says = [
        ("Set MODEL", without("MODEL"), []),
        ("Set EMBEDDINGS", without("EMBEDDINGS"), []),
        ("OPENAI_API_KEY", without("OPENAI_API_KEY"), []),
        ("MODEL=any cannot be used", {**ALL_SET, "MODEL": "any"}, []),
        ("EMBEDDINGS=any cannot be used", {**ALL_SET, "EMBEDDINGS": "any"}, []),
        ("pip install langchain-cohere", {**ALL_SET, "EMBEDDINGS": "cohere:any"}, []),
        ("no customer C-1: it has C-0042, C-0077.", ALL_SET, ["--customer", "C-1"]),
        ("none.txt cannot be read", ALL_SET, ["--scores", "none.txt"]),
    ]
    with openai_server() as server:
        cases = [(env, argv, "Hello?\n") for _, env, argv in says]
        cases.append((ALL_SET, [], "Hello?\n"))
        *wrong, unanswered = chats(project, server.url, cases)
    for (sentence, _, _), (status, out, err) in zip(says, wrong, strict=True):
        assert (status, out, err.count("\n")) == (2, "", 1), err
        assert sentence in err
    assert unanswered[0] == 0
    assert "No answer. " in unanswered[2]  # the server has no reply


@pytest.mark.slow
def test_the_projects_chat_prints_scores_by_real_embeddings(project: Path) -> None:
    env = {**ALL_SET, "EMBEDDINGS_BASE_URL": embedding_server().url}
    ((status, out, _),) = chats(
        project, "", [(env, ["--scores", str(project / "questions.txt")], "")]
    )
    lines = out.splitlines()
    assert status == 0
    assert [line[:4] for line in lines] == sorted((line[:4] for line in lines), reverse=True)
    assert "£9.00" in lines[0]
    asked = (project / "questions.txt").read_text("utf-8").splitlines()
    assert len(lines) == len(asked)
    enough = {line[6:].partition("  ->")[0] for line in lines if float(line[:4]) >= 0.5}
    # The first ten are answered; of the others one is about the goods, and passes for answered.
    assert enough == {*asked[:10], "What colours does the Tern kettle come in?"}
