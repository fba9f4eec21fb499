"""What a request needs from the process that serves it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, HTTPException
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from tracehub import tokens
from tracehub.feed import Feed
from tracehub.limiter import Limiter
from tracehub.models import User
from tracehub.settings import Settings
from tracehub.uploads import Uploads


@dataclass(frozen=True)
class Context:
    settings: Settings
    engine: Engine
    uploads: Uploads
    feed: Feed
    logins: Limiter

    def session(self) -> Session:
        return Session(self.engine, expire_on_commit=False)

    def user_of(self, token: str) -> User | None:
        """Whose token it is. The connection goes back to the pool at once: what follows may be
        a slow upload or a websocket that stays all day."""
        user_id = tokens.user_id(token, self.settings.jwt_secret)
        if user_id is None:
            return None
        with self.session() as session:
            return session.get(User, user_id)


def get_context(connection: HTTPConnection) -> Context:
    return cast(Context, connection.app.state.context)


Here = Annotated[Context, Depends(get_context)]


def get_session(here: Here) -> Iterator[Session]:
    with here.session() as session:
        yield session


# Closed before the answer is sent, so a client that reads slowly holds no connection.
Database = Annotated[Session, Depends(get_session, scope="function")]


def get_user(connection: HTTPConnection, here: Here) -> User:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    user = here.user_of(token) if scheme.lower() == "bearer" else None
    if user is None:
        raise HTTPException(401, "log in first", {"WWW-Authenticate": "Bearer"})
    return user


CurrentUser = Annotated[User, Depends(get_user)]
