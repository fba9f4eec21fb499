"""The uploads directory: files appear whole or not at all, under the hash of their content."""

import hashlib
import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

INCOMING = ".incoming"
STALE_SECONDS = 24 * 60 * 60
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}", re.ASCII)


class TooLarge(Exception):
    """More bytes came than a document may have."""


@dataclass(frozen=True)
class Stored:
    """What the documents table needs to know of a file."""

    path: str
    sha256: str
    size_bytes: int


class Uploads:
    def __init__(self, root: Path, limit_bytes: int) -> None:
        self.root = root
        self.limit_bytes = limit_bytes

    def prepare(self) -> None:
        """Make the directory usable, or raise OSError."""
        incoming = self.root / INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=incoming):
            pass
        # Whatever a killed process left. The other slot may be writing: only old ones go.
        for path in incoming.iterdir():
            if path.stat().st_mtime < time.time() - STALE_SECONDS:
                path.unlink(missing_ok=True)

    def incoming(self) -> "Incoming":
        return Incoming(self)

    def store(self, content: bytes, name: str) -> Stored:
        with self.incoming() as incoming:
            incoming.write(content)
            return incoming.publish(name)

    def find(self, path: str) -> Path | None:
        """The file of a document, or None when it is not there."""
        file = (self.root / path).resolve()
        return file if file.is_relative_to(self.root.resolve()) and file.is_file() else None


class Incoming:
    """A file that is being received. It is gone after the `with` unless it was published."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads
        self._hash = hashlib.sha256()
        self._size = 0

    def __enter__(self) -> Self:
        # In the same file system as its destination: a rename cannot cross into another.
        descriptor, name = tempfile.mkstemp(dir=self._uploads.root / INCOMING)
        self._file = os.fdopen(descriptor, "wb")
        self._temporary = Path(name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._uploads.limit_bytes:
            raise TooLarge
        self._hash.update(chunk)
        self._file.write(chunk)

    def publish(self, name: str) -> Stored:
        """Put the file in its place, on disk before anybody is told of it."""
        sha256 = self._hash.hexdigest()
        suffix = Path(name).suffix.lower()
        path = f"{sha256[:2]}/{sha256}{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        target = self._uploads.root / path
        self._file.flush()
        os.fchmod(self._file.fileno(), 0o640)
        os.fsync(self._file.fileno())
        target.parent.mkdir(exist_ok=True)
        os.replace(self._temporary, target)
        for directory in (target.parent, self._uploads.root):
            _sync(directory)
        return Stored(path, sha256, self._size)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
