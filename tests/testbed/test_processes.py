"""Servers in processes: started, awaited, measured, and gone afterwards, however the block ends."""

import http.server
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import httpx2
import psutil
import pytest

from helpers.testbed import DidNotStart, Process, TestbedError, free_port, process

PYTHON = sys.executable
SERVER = [PYTHON, "-m", "http.server", "{port}", "--bind", "127.0.0.1"]

# A server with a child that ignores SIGTERM, and a grandchild whose parent has ended.
FAMILY = textwrap.dedent("""
    import http.server, subprocess, sys
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    orphan = "import time; time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", stubborn])
    spawn = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', sys.argv[1]],"
    spawn += " start_new_session=True, stdout=-3, stderr=-3); print(p.pid)"
    made = subprocess.run([sys.executable, "-c", spawn, orphan], capture_output=True, text=True)
    print("children", child.pid, made.stdout.strip())
    http.server.HTTPServer(
        ("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler
    ).serve_forever()
""")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_server_runs_is_measured_and_is_gone(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("Hello")
    with process(SERVER, ready="/hello.txt", cwd=tmp_path) as one:
        assert httpx2.get(f"{one.url}/hello.txt", trust_env=False).text == "Hello"
        assert one.running
        assert 1 < one.memory_mb() < 1000
        assert one.cpu_s() > 0
        assert '"GET /hello.txt' in one.output()
    assert not one.running
    assert not listens(one.port)
    assert '"GET /hello.txt' in one.output(), "also afterwards"


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_its_children_are_gone_too_also_after_an_error(error: type[BaseException]) -> None:
    def fail_inside() -> None:
        with process([PYTHON, "-c", FAMILY, "{port}"]) as one:
            children.extend(int(pid) for pid in one.output().split()[1:])
            assert all(lives(pid) for pid in children)
            alone = psutil.Process(one.popen.pid).memory_info().rss / 1e6
            assert one.memory_mb() > 1.5 * alone, "children are measured too"
            ports.append(one.port)
            raise error

    children: list[int] = []
    ports: list[int] = []
    with pytest.raises(error):
        fail_inside()
    assert len(children) == 2
    assert not any(lives(pid) for pid in children)
    assert not listens(ports[0])


def test_children_of_a_server_that_died_by_itself_are_gone_too() -> None:
    with process([PYTHON, "-c", FAMILY, "{port}"]) as one:
        children = [int(pid) for pid in one.output().split()[1:]]
        one.popen.kill()
        one.popen.wait()
        assert all(lives(pid) for pid in children)
    assert not any(lives(pid) for pid in children)


def test_one_that_ignores_sigterm_is_killed_and_others_may_end_well() -> None:
    well = "import http.server, signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7));"
    deaf = "import http.server, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    serve = (
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])),"
        " http.server.BaseHTTPRequestHandler).serve_forever()"
    )
    with process([PYTHON, "-c", well + serve, "{port}"]) as one:
        assert one.stop() == 7
    with process([PYTHON, "-c", deaf + serve, "{port}"]) as one:
        assert one.stop(limit_s=0.2) == -signal.SIGKILL


def test_one_that_ends_or_stays_silent_is_told_with_what_it_printed() -> None:
    before = psutil.Process().children()  # of other tests in this worker
    ends = [PYTHON, "-c", "import sys; print('no config file'); sys.exit(3)", "{port}"]
    with (
        pytest.raises(DidNotStart, match=r"ended with status 3[\s\S]*no config file"),
        process(ends),
    ):
        pass
    silent = [PYTHON, "-c", "import time; print('thinking'); time.sleep(600)", "{port}"]
    with (
        pytest.raises(DidNotStart, match=r"http://\S+/up did not answer within[\s\S]*thinking"),
        process(silent, ready="/up", start_s=1.5),
    ):
        pass
    with (
        pytest.raises(DidNotStart, match="check that no-such-program is installed"),
        process(["no-such-program", "{port}"]),
    ):
        pass
    new = [one for one in psutil.Process().children() if one not in before]
    assert not [one for one in new if one.status() != "zombie"]


def test_ready_is_a_good_answer_not_an_open_port() -> None:
    loads = textwrap.dedent("""
        import http.server, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            asked = 0
            def do_GET(self):
                Handler.asked += 1
                self.send_response(503 if Handler.asked < 4 else 204)
                self.end_headers()
        http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    """)
    with process([PYTHON, "-c", loads, "{port}"], ready="/readyz") as one:
        assert one.output().count(" 503 ") == 3


def test_a_port_that_another_program_uses_is_refused() -> None:
    stranger = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=stranger.serve_forever, daemon=True).start()
    try:
        with (
            pytest.raises(TestbedError, match=f"Port {stranger.server_port} cannot be used"),
            process(SERVER, port=stranger.server_port),
        ):
            pass
    finally:
        stranger.shutdown()
        stranger.server_close()


def test_the_port_goes_into_words_and_variables_and_can_be_used_again() -> None:
    serve = "import http.server, os; http.server.HTTPServer(('127.0.0.1', int(os.environ['ON'])),"
    serve += " http.server.BaseHTTPRequestHandler).serve_forever()"
    with process([PYTHON, "-c", serve], env={"ON": "{port}"}) as first:
        pass
    with process([PYTHON, "-c", serve], port=first.port, env={"ON": str(first.port)}) as second:
        assert second.url == first.url
    with pytest.raises(ValueError, match=r"write \{port\}"), process([PYTHON, "-V"]):
        pass
    assert free_port() != 0


def test_a_server_is_ended_when_the_program_is_interrupted(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""
        import sys, time
        from helpers.testbed import process
        with process([sys.executable, "-m", "http.server", "{port}"]) as one:
            print(one.popen.pid, one.port, flush=True)
            time.sleep(600)
        """)
    )
    running = subprocess.Popen(
        [PYTHON, str(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert running.stdout is not None
    pid, port = map(int, running.stdout.readline().split())
    assert lives(pid)
    running.send_signal(signal.SIGINT)
    running.wait(30)
    running.stdout.close()
    assert not lives(pid)
    assert not listens(port)


def test_an_asgi_app_serves_in_a_process(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(
        "from starlette.applications import Starlette\n"
        "from starlette.responses import PlainTextResponse\n"
        "from starlette.routing import Route\n"
        "app = Starlette(routes=[Route('/', lambda request: PlainTextResponse('Hello'))])\n"
    )
    command = [PYTHON, "-m", "uvicorn", "tiny:app", "--port", "{port}", "--workers", "2"]
    with process(command, ready="/", cwd=tmp_path) as one:
        assert isinstance(one, Process)
        assert httpx2.get(one.url, trust_env=False).text == "Hello"
        workers = psutil.Process(one.popen.pid).children()
        assert len(workers) >= 2
    assert not any(lives(worker.pid) for worker in workers)
