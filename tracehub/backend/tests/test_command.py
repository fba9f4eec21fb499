import json
import os
import socket
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tracehub import migrations
from tracehub.__main__ import main
from tracehub.listening import listening
from tracehub.settings import SettingsError


@pytest.fixture(autouse=True)
def settings_of_this_test(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def test_version_needs_no_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert main(["version"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "tag": "v1",
        "git_sha": "abc123",
        "head": migrations.head(),
    }


def test_migrate_twice(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgres.create_database()
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(False))
    for revision in ([], [], ["head"]):
        assert main(["migrate", *revision]) == 0
    found = postgres.execute("SELECT version_num FROM alembic_version", url.database or "")
    assert found == [(migrations.head(),)]


@pytest.mark.parametrize("command", ["serve", "migrate", "seed"])
def test_a_missing_setting_is_one_sentence_and_exit_2(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert main([command]) == 2
    assert capsys.readouterr().err == "tracehub: DATABASE_URL is not set\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["migrate"], "nonexistent"), (["seed"], "nonexistent"), (["migrate", "9999"], "9999")],
)
def test_what_fails_is_one_sentence_and_exit_1(
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if len(arguments) == 1:
        monkeypatch.setenv("DATABASE_URL", "postgresql://u@/x?host=/nonexistent")
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("tracehub: ") and sentence in error and error.count("\n") == 1


def test_a_useless_uploads_directory_is_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("UPLOADS_DIR", str(tmp_path / "file"))
    assert main(["serve"]) == 2
    assert "is not usable: Not a directory" in capsys.readouterr().err


def test_a_stale_socket_is_replaced_and_ours_removed(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    os.chmod(path, 0o600)
    with listening({"TH_SOCKET": str(path)}):
        assert path.stat().st_mode & 0o777 == 0o666
    assert not path.exists()


def test_a_successors_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with listening({"TH_SOCKET": str(path)}):
        path.rename(tmp_path / "away")
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(str(path))
    assert path.exists()


def test_sockets_that_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        unix.bind(str(tmp_path / "busy"))
        unix.listen()
        for environ, sentence in (
            ({}, "neither TH_SOCKET nor a number in TH_PORT"),
            ({"TH_PORT": "70000"}, "neither TH_SOCKET nor a number in TH_PORT"),
            ({"TH_PORT": str(tcp.getsockname()[1])}, "Address already in use"),
            ({"TH_SOCKET": str(tmp_path / "busy")}, "another process is serving"),
            ({"TH_SOCKET": str(tmp_path / "file")}, "is not a socket"),
            ({"TH_SOCKET": str(tmp_path / "no" / "dir")}, "No such file"),
            ({"TH_SOCKET": f"/tmp/{'x' * 108}"}, "AF_UNIX path too long"),
        ):
            with pytest.raises(SettingsError, match=sentence), listening(environ):
                pass
