"""A small web app that misbehaves on demand.

It listens on /run/th/$SERVICE.sock, or on TCP with $PORT. How it misbehaves is read from
/witness/$TH_TAG, if that is there: lines of name=value, read again for each request. So one tag can
be sick and another one well, and a healthy release can fall ill while it runs.
"""

import hashlib
import base64
import json
import os
import signal
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

SERVICE = os.environ.get("SERVICE", "api")
TAG = os.environ.get("TH_TAG", "none")
SLOT = os.environ.get("TH_SLOT", "none")
SOCKET = f"/run/th/{SERVICE}.sock"
GRACE = 20

websockets = set()


def sickness():
    try:
        with open(f"/witness/{TAG}", encoding="utf-8") as file:
            return dict(line.strip().split("=", 1) for line in file if "=" in line)
    except FileNotFoundError:
        return {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if "no_slot" not in sickness():
            self.send_header("X-Th-Slot", SLOT)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        sick = sickness()
        time.sleep(float(sick.get("slow", 0)))
        path = self.path.split("?")[0]
        if path == "/health":
            self.answer(int(sick.get("health", 200)), b'{"status":"ok"}')
        elif path == "/version":
            tag = sick.get("tag", TAG)
            self.answer(200, json.dumps({"tag": tag, "slot": SLOT}).encode())
        elif path == "/download":
            self.download()
        elif path == "/ws":
            self.websocket()
        else:
            if self.path.endswith("slow"):
                time.sleep(0.3)
            self.answer(int(sick.get("work", 200)), f"{TAG} {SLOT}\n".encode())

    def do_POST(self):
        sick = sickness()
        left = int(self.headers.get("Content-Length", 0))
        digest, size = hashlib.sha256(), 0
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                return
            digest.update(piece)
            size += len(piece)
            left -= len(piece)
        time.sleep(float(sick.get("slow", 0)))
        if self.path.endswith("slow"):
            time.sleep(0.3)
        name = "health" if self.path == "/health/echo" else "work"
        body = {"bytes": size, "sha256": digest.hexdigest()}
        self.answer(int(sick.get(name, 200)), json.dumps(body).encode())

    def download(self):
        """A megabyte in pieces, over about ?seconds."""
        seconds = float(self.path.split("seconds=")[-1]) if "seconds=" in self.path else 1
        self.send_response(200)
        self.send_header("Content-Length", str(64 * 16384))
        self.send_header("X-Th-Slot", SLOT)
        self.end_headers()
        for _ in range(64):
            self.wfile.write(b"x" * 16384)
            time.sleep(seconds / 64)

    def websocket(self):
        """Sends a text frame each 0.1 s until the other side closes, or this one stops (1012)."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_response(101)
        for name, value in (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", accept),
            ("X-Th-Slot", SLOT),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        websockets.add(self)
        try:
            while not stopping.is_set():
                self.wfile.write(b"\x81" + bytes([len(SLOT)]) + SLOT.encode())
                self.connection.settimeout(0.1)
                try:
                    if not self.connection.recv(1024):
                        return
                except TimeoutError:
                    pass
            self.wfile.write(b"\x88\x02\x03\xf4")
        except OSError:
            pass
        finally:
            websockets.discard(self)


class Busy:
    """Counts the requests in flight, so that a stop waits for them."""

    def __init__(self):
        self.count, self.idle = 0, threading.Condition()

    def __enter__(self):
        with self.idle:
            self.count += 1

    def __exit__(self, *_):
        with self.idle:
            self.count -= 1
            self.idle.notify_all()

    def wait(self, seconds):
        with self.idle:
            self.idle.wait_for(lambda: self.count == 0, seconds)


busy = Busy()
stopping = threading.Event()


class Threads(socketserver.ThreadingMixIn):
    daemon_threads = True
    request_queue_size = 256

    def process_request_thread(self, request, client_address):
        with busy:
            super().process_request_thread(request, client_address)

    def handle_error(self, request, client_address):
        pass


class UnixServer(Threads, socketserver.UnixStreamServer):
    pass


class TcpServer(Threads, socketserver.TCPServer):
    allow_reuse_address = True


def server():
    if "PORT" in os.environ:
        return TcpServer(("0.0.0.0", int(os.environ["PORT"])), Handler)
    try:
        os.unlink(SOCKET)
    except FileNotFoundError:
        pass
    made = UnixServer(SOCKET, Handler)
    os.chmod(SOCKET, 0o666)
    return made


def main():
    sick = sickness()

    def stop(*_):
        if "ignore_term" in sickness():
            return
        # As uvicorn does: the listener closes at once, and what is in flight is finished.
        stopping.set()
        threading.Thread(target=end).start()

    def end():
        made.shutdown()
        made.server_close()
        busy.wait(GRACE)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    time.sleep(float(sick.get("boot", 0)))
    if "exit" in sick:
        sys.exit(int(sick["exit"]))
    if "eat" in sick:
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(1 << 20)))
            time.sleep(0.01)
    made = server()
    if "die" in sick:
        timer = threading.Timer(float(sick["die"]), lambda: os._exit(3))
        timer.daemon = True
        timer.start()
    made.serve_forever(poll_interval=0.05)


main()
