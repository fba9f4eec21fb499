"""The real process: how it starts, what it sends, and how it stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect, unix_connect

from tests.conftest import PASSWORD
from tracehub.probe import alive

ROOT = Path(__file__).parent.parent
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(**more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracehub", "serve"],
            cwd=ROOT,
            env={**os.environ, **environ, **more},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        deadline = time.monotonic() + 20
        while not alive(more):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def check_headers(path: Path) -> None:
    """uvicorn's own answers, too, name the slot, and once."""
    for line in (b"GET /health HTTP/1.0", b"GET /no/such HTTP/1.0", b"nonsense"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            head = exchange(connection, line + b"\r\nHost: x\r\n\r\n").lower()
        assert head.count(b"x-th-slot: green\r\n") == 1
        assert b"x-content-type-options: nosniff\r\n" in head
        assert b"server:" not in head


def exchange(connection: socket.socket, *parts: bytes) -> bytes:
    for part in parts:
        connection.sendall(part)
    with connection.makefile("rb") as answer:
        return answer.read()


def test_on_a_socket_everything_in_flight_is_finished(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    process = start(TH_SOCKET=str(path))
    check_headers(path)
    with socket.socket(socket.AF_UNIX) as slow, unix_connect(str(path), "ws://x/ws") as refused:
        slow.connect(str(path))
        slow.sendall(b"POST /health/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf ")
        with pytest.raises(ConnectionClosed) as closed:
            refused.recv()
        assert closed.value.rcvd and closed.value.rcvd.code == 1008

        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.8)
        assert not alive({"TH_SOCKET": str(path)})
        answer = exchange(slow, b"other")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b'{"bytes":10}')
    assert process.wait(10) == 0
    assert not path.exists()


def test_on_tcp_with_a_websocket(start: Start, environ: dict[str, str]) -> None:
    seed = [sys.executable, "-m", "tracehub", "seed", "--shipments", "1", "--documents", "0"]
    subprocess.run(seed, cwd=ROOT, env=os.environ | environ, check=True, capture_output=True)
    port = free_port()
    process = start(TH_PORT=port)
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        body = json.dumps({"email": "demo@tracehub.example", "password": PASSWORD}).encode()
        head = "POST /api/v1/auth/login HTTP/1.0\r\nContent-Type: application/json\r\n"
        answer = exchange(connection, f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body)
    token = json.loads(answer.partition(b"\r\n\r\n")[2])["access_token"]
    with connect(f"ws://127.0.0.1:{port}/ws?token={token}") as websocket:
        assert websocket.response and websocket.response.headers["X-Th-Slot"] == "green"
        assert json.loads(websocket.recv())["type"] == "hello"
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv()
    assert closed.value.rcvd and closed.value.rcvd.code == 1012
    assert process.wait(10) == 0
    assert process.stdout
    lines = [json.loads(line) for line in process.stdout]
    requests = [line for line in lines if line["message"] == "request"]
    assert [line["path"] for line in requests] == ["/api/v1/auth/login"]
    assert token not in json.dumps(lines)
