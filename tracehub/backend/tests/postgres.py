"""A PostgreSQL server for the tests: real, their own, and gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL

USER = "tracehub"


class Postgres:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._databases = 0

    def url(self, name: str) -> URL:
        query = {"host": str(self.directory)}
        return URL.create("postgresql+psycopg", USER, database=name, query=query)

    def execute(self, statement: str, name: str = "postgres") -> list[Any]:
        with psycopg.connect(
            host=str(self.directory), user=USER, dbname=name, autocommit=True
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def create_database(self) -> URL:
        self._databases += 1
        name = f"tracehub_{self._databases}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)


def _programs() -> Path:
    """Debian keeps the server's programs off the PATH, a directory for each version."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[4]), default=None)
    if newest is None:
        raise FileNotFoundError("no initdb: install PostgreSQL's server, on Debian `postgresql`")
    return newest.parent


def _owner() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextmanager
def running() -> Iterator[Postgres]:
    # Not under pytest's own directory: a socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="tracehub-pg-", dir="/tmp") as name:
        directory, owner, programs = Path(name), _owner(), _programs()
        if owner:
            os.chown(directory, owner["user"], owner["group"])
        data = directory / "data"

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [programs / program, "-D", data, *arguments],
                check=True,
                cwd=directory,
                stdout=subprocess.DEVNULL,
                **owner,
            )

        run("initdb", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -k {directory} -c fsync=off -c full_page_writes=off"
        run("pg_ctl", "-w", "-l", str(directory / "log"), "-o", options, "start")
        try:
            yield Postgres(directory)
        finally:
            run("pg_ctl", "-m", "fast", "stop")
