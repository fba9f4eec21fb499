"""python -m tracehub serve|migrate|seed|version"""

import argparse
import json
import sys

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from tracehub import logs, migrations
from tracehub.settings import Settings, SettingsError


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("tracehub", description="Settings: see README.md")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve on TH_SOCKET, or on TH_HOST and TH_PORT")
    migrate = commands.add_parser("migrate", help="bring the database's schema up to date")
    migrate.add_argument("revision", nargs="?", default="head")
    seed = commands.add_parser("seed", help="the demo user, shipments and documents")
    seed.add_argument("--shipments", type=int, default=3000)
    seed.add_argument("--documents", type=int, default=300)
    commands.add_parser("version", help="tag, git sha and migration head, as JSON")
    return parser.parse_args(arguments)


def serve() -> None:
    # Imported here: the other commands start in half the time without the web framework.
    from tracehub.listening import listening
    from tracehub.server import serve
    from tracehub.uploads import Uploads

    settings = Settings.read("DATABASE_URL", "JWT_SECRET")
    logs.configure(settings.log_level, settings.slot)
    try:
        Uploads(settings.uploads_dir, settings.upload_limit_bytes).prepare()
    except OSError as error:
        message = f"UPLOADS_DIR {settings.uploads_dir} is not usable: {error.strerror}"
        raise SettingsError(message) from None
    with listening() as listener:
        serve(settings, listener)


def migrate(revision: str) -> None:
    settings = Settings.read("DATABASE_URL")
    logs.configure(settings.log_level, settings.slot)
    migrations.upgrade(revision)


def seed(shipments: int, documents: int) -> None:
    from tracehub.database import connect
    from tracehub.seed import seed

    settings = Settings.read("DATABASE_URL", "DEMO_PASSWORD")
    logs.configure(settings.log_level, settings.slot)
    engine = connect(settings)
    try:
        print(json.dumps(seed(engine, settings, shipments, documents)))
    finally:
        engine.dispose()


def version() -> None:
    settings = Settings.read()
    print(json.dumps({"tag": settings.tag, "git_sha": settings.git_sha, "head": migrations.head()}))


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        match options.command:
            case "serve":
                serve()
            case "migrate":
                migrate(options.revision)
            case "seed":
                seed(options.shipments, options.documents)
            case "version":
                version()
    except SettingsError as error:
        print(f"tracehub: {error}", file=sys.stderr)
        return 2
    except (CommandError, SQLAlchemyError, OSError) as error:
        # The first line says it; the rest is the statement and a link to a manual.
        print(f"tracehub: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
