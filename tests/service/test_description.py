"""The API's description is whole, and nothing that fits or breaks it makes the service fail."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import load_all_checks, not_a_server_error

from helpers.service.check.fake_model import fake_model
from tests.service.serving import serving


@pytest.fixture(scope="module")
def described() -> Any:
    with fake_model() as model, serving(model) as running, running.client() as client:
        yield running, client.get("/openapi.json").json()


def test_every_address_is_described_with_examples(described: Any) -> None:
    _, description = described
    assert set(description["paths"]) == {
        "/v1/chat",
        "/v1/chat/stream",
        "/v1/chat/completions",
        "/v1/models",
        "/v1/feedback",
        "/livez",
        "/readyz",
        "/metrics",
    }
    schemas = description["components"]["schemas"]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert operation["description"], path
            if method == "post":
                content = operation["requestBody"]["content"]["application/json"]
                name = content["schema"]["$ref"].rpartition("/")[2]
                assert schemas[name]["examples"], name
            for status, response in operation["responses"].items():
                if status.startswith("2"):
                    for kind in response.get("content", {}).values():
                        name = kind["schema"].get("$ref", "").rpartition("/")[2]
                        assert "example" in kind or schemas[name]["examples"], (path, status)
                else:
                    assert set(response["content"]) == {"application/problem+json"}, (path, status)
    assert "HTTPValidationError" not in schemas
    assert schemas["ProblemDocument"]["examples"]


@pytest.mark.slow
def test_no_request_makes_the_service_fail(described: Any) -> None:
    running, description = described
    load_all_checks()
    schema = schemathesis.openapi.from_dict(description)
    schema.config.base_url = running.url
    seen = 0

    def call(case: schemathesis.Case) -> None:
        nonlocal seen
        response = case.call(headers=running.headers(), timeout=20)
        case.validate_response(response, checks=[not_a_server_error])
        if response.status_code >= 400:
            assert response.headers["content-type"] == ["application/problem+json"]
        seen += 1

    limits = hypothesis.settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    for operation in schema.get_all_operations():
        strategy = operation.ok().as_strategy(
            generation_mode=schemathesis.GenerationMode.NEGATIVE
        ) | operation.ok().as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
        limits(hypothesis.given(case=strategy)(call))()
    assert seen > 60
