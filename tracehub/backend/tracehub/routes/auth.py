"""Logging in, and who is logged in."""

import logging

from fastapi import APIRouter, HTTPException, Request
from sqlalchemy import select

from tracehub import audit, passwords, tokens
from tracehub.context import CurrentUser, Database, Here
from tracehub.models import User
from tracehub.routes import API
from tracehub.schemas import Login, Token, UserOut

router = APIRouter(prefix=API)
log = logging.getLogger(__name__)


def client_address(request: Request) -> str:
    """Who asks. Behind a unix socket that is what nginx wrote last: what stands before it in
    the header came from the client, who may write anything."""
    if request.client and request.client.host:
        return request.client.host
    return request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()


@router.post("/auth/login")
def login(form: Login, request: Request, here: Here, session: Database) -> Token:
    address = client_address(request)
    if wait := here.logins.seconds_to_wait(address):
        raise HTTPException(429, "too many failed logins", {"Retry-After": str(wait)})
    user = session.scalar(select(User).where(User.email == form.email.strip().lower()))
    # Hashing takes its time, and needs no connection.
    session.rollback()
    stored = user.password_hash if user else passwords.NOBODY
    if not passwords.verify_password(form.password, stored) or user is None:
        here.logins.fail(address)
        log.warning("failed login", extra={"fields": {"client": address}})
        raise HTTPException(401, "wrong email or password")
    audit.record(session, user, "login", user.id)
    session.commit()
    return Token(
        access_token=tokens.issue(user.id, here.settings.jwt_secret),
        expires_in=tokens.LIFETIME_SECONDS,
        user=UserOut.model_validate(user),
    )


@router.get("/me")
def me(user: CurrentUser) -> UserOut:
    return UserOut.model_validate(user)
