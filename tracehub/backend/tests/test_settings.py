import pytest

from tracehub.settings import Settings, SettingsError


def read(**environ: str) -> Settings:
    return Settings.read(environ=environ)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(SettingsError, match="^JWT_SECRET is not set$"):
        Settings.read("JWT_SECRET", environ={"JWT_SECRET": ""})
    with pytest.raises(SettingsError, match="^DATABASE_URL and JWT_SECRET are not set$"):
        Settings.read("DATABASE_URL", "JWT_SECRET", environ={})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "nonsense", "DATABASE_URL is not a URL"),
        ("DATABASE_URL", "mysql://db/x", "does not begin with postgresql"),
        ("JWT_SECRET", "short", "shorter than 32 bytes"),
        ("UPLOAD_LIMIT_BYTES", "25 MB", "not a positive whole number"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud'"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read(**{name: value})


def test_secrets_are_not_shown() -> None:
    shown = repr(read(DATABASE_URL="postgresql://u:hidden@db/x", JWT_SECRET="hidden" * 9))
    assert "hidden" not in shown


def test_the_driver_need_not_be_named() -> None:
    assert read(DATABASE_URL="postgresql://db/x").database_url.drivername == "postgresql+psycopg"
