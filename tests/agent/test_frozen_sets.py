"""The sentences that judge how the agent reads arguments, written before its rules: unchanged.

`refund_requests.jsonl`: what is paid for a sentence about FH-10554 (549.00 pounds, its customer
asks). `pays`: exactly `amount`, and the whole order where that is null. `asks`: nothing is paid and
the customer is asked. `none`: nothing is paid; to ask back is as good.

`other_arguments.jsonl`: the call that a sentence leads to. `args` is null where no such call may
succeed, and empty where its arguments are free.

A sentence that the agent gets wrong is a fault of the agent. Do not change the sentence.
"""

import hashlib
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from helpers.shop.questions import TOOL_ARGUMENTS

FOLDER = Path(__file__).parent
DIGESTS = {
    "refund_requests.jsonl": "749d80e92fd74fdc13bc560fe248020f6337356d6507919d6db2fe7c76f25080",
    "other_arguments.jsonl": "b033a4f2a0122496fe91c135bd410b4366d9f112bb4dc9f245514ea51dc8a383",
}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", DIGESTS)
def test_the_set_is_as_it_was_before_the_rule(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")  # not its bytes: a checkout may change line ends
    assert hashlib.sha256(text.encode()).hexdigest() == DIGESTS[name]


@pytest.mark.parametrize("name", DIGESTS)
def test_ids_and_sentences_are_unique(name: str) -> None:
    for field in ("id", "text"):
        assert [x for x, n in Counter(r[field] for r in rows(name)).items() if n > 1] == []


def test_each_refund_request_says_what_is_paid() -> None:
    requests = rows("refund_requests.jsonl")
    assert Counter(r["expect"] for r in requests) == {"none": 101, "pays": 76, "asks": 127}
    for row in requests:
        assert set(row) == {"id", "text", "expect", "amount", "kind"}
        if row["amount"] is not None:
            assert row["expect"] == "pays", row["id"]
            assert 0 < Decimal(row["amount"]) <= 549, row["id"]
            assert Decimal(row["amount"]).as_tuple().exponent == -2, row["id"]


def test_other_arguments_are_those_of_the_tools() -> None:
    for row in rows("other_arguments.jsonl"):
        assert set(row) == {"id", "text", "tool", "args", "kind"}
        assert set(row["args"] or {}) <= TOOL_ARGUMENTS[row["tool"]], row["id"]
