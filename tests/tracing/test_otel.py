"""The same traces to any OpenTelemetry backend, by the SDK's own mode and the standard exporter."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from langchain_core.runnables import RunnableLambda
from langsmith import Client, tracing_context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from helpers.tracing import running
from tests.tracing.serving import ScriptedModel, answer


@pytest.fixture
def backend() -> Iterator[tuple[str, list[bytes]]]:
    """An OTLP receiver: its address, and the bodies that came in."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", bodies
    server.shutdown()
    server.server_close()


def test_runs_arrive_as_spans(backend: tuple[str, list[bytes]]) -> None:
    address, bodies = backend
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=address)))
    client = Client(
        tracing_mode="otel",
        otel_tracer_provider=provider,
        api_url="http://127.0.0.1:9",  # nobody is there: nothing goes by LangSmith's own way
        api_key="none",
    )
    model = ScriptedModel(answers=[answer("30 days", 10, 3)])
    with tracing_context(client=client, enabled=True, project_name="otel"):
        RunnableLambda(lambda text: model.invoke(text), name="ask").invoke("How long?")
    client.flush()
    provider.force_flush()
    spans = {
        span.name: span
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert set(spans) == {"ask", "ScriptedModel"}
    called = spans["ScriptedModel"]
    assert called.parent_span_id == spans["ask"].span_id
    assert called.trace_id == spans["ask"].trace_id
    attributes = {pair.key: pair.value for pair in called.attributes}
    assert attributes["gen_ai.usage.input_tokens"].int_value == 10
    assert attributes["gen_ai.usage.output_tokens"].int_value == 3
    assert "How long?" in attributes["gen_ai.prompt"].string_value
    assert "30 days" in attributes["gen_ai.completion"].string_value
    client.cleanup()


@pytest.mark.parametrize("path", ["otel/v1/traces", "v1/traces", "api/v1/otel/v1/traces"])
def test_spans_sent_here_are_refused_with_a_sentence_that_is_seen(
    tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The exporter shows of an answer its status and reason; people by other means, its text."""
    with running(tmp_path / "t.db") as service:
        headers = {"x-api-key": service.key}
        exporter = OTLPSpanExporter(endpoint=f"{service.url}/{path}", headers=headers)
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        provider.get_tracer("t").start_span("s").end()
        provider.shutdown()
        assert "501" in caplog.text
        assert "point the exporter at an OpenTelemetry backend" in caplog.text
        answer = requests.post(f"{service.url}/{path}", b"x", headers=headers, timeout=10)
        assert "does not speak OpenTelemetry" in answer.json()["detail"]
