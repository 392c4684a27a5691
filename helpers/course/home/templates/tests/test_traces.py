import pandas as pd
import pytest

from traces import main, report

ROWS = [
    {"customer": f"C-{n}", "cost": 0.5 if n == 3 else 0.01, "tokens": 9, "seconds": 1.0, "id": n}
    for n in range(20)
]


def test_it_names_the_most_expensive_and_the_group() -> None:
    lines = list(report(pd.DataFrame([*ROWS, ROWS[0] | {"cost": float("nan")}]), "customer"))
    assert lines[0].startswith("21 requests cost $0.690000, without 1 ")
    assert lines[1] == "The most expensive 5% make 72% of it:"
    assert lines[2].startswith("  $0.500000 ")
    assert lines[3].startswith("customer C-3: 72% of the cost by 1 requests, 67 points more")


def test_without_a_price_it_says_so() -> None:
    frame = pd.DataFrame(ROWS).assign(cost=float("nan"))
    assert list(report(frame, "customer")) == [
        "20 requests, and no price of any: what they cost is not known."
    ]
    assert next(report(pd.DataFrame(), "customer")).startswith("0 requests, and no price")


def test_no_server_and_no_key_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANGSMITH_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("LANGSMITH_API_KEY", "none")
    assert main(["shop"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The traces cannot be read: ")
    assert "Set LANGSMITH_API_KEY" in said
