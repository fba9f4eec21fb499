"""What the environment says, read once and checked at that border."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

# HS256 is as strong as its key: RFC 7518 asks for no fewer bytes than the hash has.
SECRET_BYTES = 32
UPLOAD_LIMIT_BYTES = 25 * 1024 * 1024


class SettingsError(Exception):
    """A sentence about a variable that is missing or makes no sense."""


@dataclass(frozen=True)
class Settings:
    """Everything that differs between two runs of the same image."""

    database_url: URL
    jwt_secret: str = field(repr=False)
    demo_password: str = field(repr=False)
    uploads_dir: Path
    upload_limit_bytes: int
    log_level: str
    tag: str
    git_sha: str
    slot: str

    @classmethod
    def read(cls, *needed: str, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment; `needed` are the variables without which there is no going on."""
        missing = [name for name in needed if not environ.get(name)]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise SettingsError(f"{' and '.join(missing)} {verb} not set")
        return cls(
            database_url=_database_url(environ.get("DATABASE_URL", "")),
            jwt_secret=_secret(environ.get("JWT_SECRET", "")),
            demo_password=environ.get("DEMO_PASSWORD", ""),
            uploads_dir=Path(environ.get("UPLOADS_DIR") or "/srv/uploads"),
            upload_limit_bytes=_bytes(environ.get("UPLOAD_LIMIT_BYTES", "")),
            log_level=_level(environ.get("LOG_LEVEL") or "INFO"),
            tag=environ.get("TH_TAG") or "dev",
            git_sha=environ.get("GIT_SHA") or "unknown",
            slot=environ.get("TH_SLOT") or "dev",
        )


def _database_url(text: str) -> URL:
    try:
        url = make_url(text or "postgresql+psycopg://")
    except ArgumentError:
        # The text may hold a password, so it is not repeated.
        raise SettingsError("DATABASE_URL is not a URL") from None
    if url.get_backend_name() != "postgresql":
        raise SettingsError("DATABASE_URL does not begin with postgresql+psycopg://")
    return url.set(drivername="postgresql+psycopg")


def _secret(text: str) -> str:
    if text and len(text.encode()) < SECRET_BYTES:
        raise SettingsError(f"JWT_SECRET is shorter than {SECRET_BYTES} bytes")
    return text


def _bytes(text: str) -> int:
    if not text:
        return UPLOAD_LIMIT_BYTES
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise SettingsError("UPLOAD_LIMIT_BYTES is not a positive whole number")
    return int(text)


def _level(text: str) -> str:
    level = text.upper()
    if level not in logging.getLevelNamesMapping():
        raise SettingsError(f"LOG_LEVEL is {text!r}, not one of DEBUG, INFO, WARNING, ERROR")
    return level
