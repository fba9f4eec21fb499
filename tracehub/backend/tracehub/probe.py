"""Docker's HEALTHCHECK: asks /health on whatever this container serves on.

Nothing but the standard library: it runs every few seconds.
"""

import os
import socket
import sys
from collections.abc import Mapping

REQUEST = b"GET /health HTTP/1.0\r\nHost: probe\r\n\r\n"


def alive(environ: Mapping[str, str] = os.environ) -> bool:
    family, address = _where(environ)
    with socket.socket(family) as connection:
        connection.settimeout(2)
        try:
            connection.connect(address)
            connection.sendall(REQUEST)
            with connection.makefile("rb") as answer:
                return b" 200 " in answer.readline()
        except OSError:
            return False


def _where(environ: Mapping[str, str]) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    if path := environ.get("TH_SOCKET"):
        return socket.AF_UNIX, path
    return socket.AF_INET, ("127.0.0.1", int(environ["TH_PORT"]))


if __name__ == "__main__":
    sys.exit(0 if alive() else 1)
