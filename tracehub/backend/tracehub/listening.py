"""The socket to serve on: bound before anything else starts, so a busy one is a clear error."""

import os
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tracehub.settings import SettingsError


@contextmanager
def listening(environ: Mapping[str, str] = os.environ) -> Iterator[socket.socket]:
    """The socket that TH_SOCKET, or else TH_HOST and TH_PORT, ask for."""
    if path := environ.get("TH_SOCKET"):
        with _unix(Path(path)) as listener:
            yield listener
    else:
        with _tcp(environ.get("TH_HOST") or "127.0.0.1", environ.get("TH_PORT") or "") as listener:
            yield listener


@contextmanager
def _unix(path: Path) -> Iterator[socket.socket]:
    _clear(path)
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(path))
            # nginx runs as another user.
            path.chmod(0o666)
        except OSError as error:
            raise SettingsError(f"cannot listen on TH_SOCKET {path}: {_why(error)}") from None
        mine = path.stat().st_ino
        try:
            yield listener
        finally:
            # By now it may be the socket of a successor.
            if path.exists() and path.stat().st_ino == mine:
                path.unlink()


def _clear(path: Path) -> None:
    """Remove the socket of a process that is no more."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise SettingsError(f"TH_SOCKET {path} exists and is not a socket")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(f"cannot listen on TH_SOCKET {path}: {_why(error)}") from None
        else:
            raise SettingsError(f"another process is serving on TH_SOCKET {path}")


@contextmanager
def _tcp(host: str, port: str) -> Iterator[socket.socket]:
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise SettingsError("neither TH_SOCKET nor a number in TH_PORT is set")
    try:
        listener = socket.create_server((host, int(port)))
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}:{port}: {_why(error)}") from None
    with listener:
        yield listener


def _why(error: OSError) -> str:
    return error.strerror or str(error)
