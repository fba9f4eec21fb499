"""The one file of a multipart form, passed on while it arrives.

Starlette's own form parser spools to the temporary directory first, which a container with a
read-only root need not have, and tells the size only at the end.
"""

import re
from collections.abc import Callable
from email.message import Message

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from starlette.requests import ClientDisconnect, Request

NAME_LENGTH = 255
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,59}/[\w.+-]{1,60}", re.ASCII)


class FormError(Exception):
    """A sentence about a form that cannot be used."""


class FilePart:
    """Reads a form and gives the content of the field `file` to `sink`."""

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        self.name: str | None = None
        self.content_type = "application/octet-stream"
        self._sink = sink
        self._header = Message()
        self._field = self._value = b""
        self._inside = False
        self._ended = False

    async def receive(self, request: Request) -> None:
        form = Message()
        form["content-type"] = request.headers.get("content-type", "")
        boundary = form.get_param("boundary")
        if form.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
            raise FormError("expected a form of the type multipart/form-data")
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )
        try:
            async for chunk in request.stream():
                parser.write(chunk)
        except (MultipartParseError, ClientDisconnect):
            raise FormError("the form is cut short or malformed") from None
        if not self._ended:
            raise FormError("the form is cut short or malformed")
        if self.name is None:
            raise FormError("the form has no file in a field named 'file'")

    def _on_part_begin(self) -> None:
        self._header = Message()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._header[self._field.decode("latin-1")] = self._value.decode("utf-8", "replace")
        self._field = self._value = b""

    def _on_headers_finished(self) -> None:
        name = self._header.get_param("name", header="content-disposition")
        filename = self._header.get_filename()
        self._inside = name == "file" and bool(filename) and self.name is None
        if self._inside and filename:
            self.name = _tidy(filename)
            stated = self._header.get("content-type", "")
            if _MEDIA_TYPE.fullmatch(stated):
                self.content_type = stated

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._sink(data[start:end])

    def _on_part_end(self) -> None:
        self._inside = False

    def _on_end(self) -> None:
        self._ended = True


def _tidy(filename: str) -> str:
    """The name alone: some browsers have sent whole paths, with either slash."""
    name = filename.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if c.isprintable()).strip()
    return name[-NAME_LENGTH:] or "unnamed"
