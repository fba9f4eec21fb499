"""Access tokens: signed, short-lived, and good in both slots, which share the secret."""

import time

import jwt

ALGORITHM = "HS256"
ISSUER = "tracehub"
LIFETIME_SECONDS = 8 * 60 * 60


def issue(user_id: int, secret: str) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": str(user_id), "iat": now, "exp": now + LIFETIME_SECONDS}
    return jwt.encode(claims, secret, ALGORITHM)


def user_id(token: str, secret: str) -> int | None:
    """Whose token this is, or None when it is nobody's, or no longer."""
    try:
        claims = jwt.decode(
            token,
            secret,
            [ALGORITHM],
            issuer=ISSUER,
            options={"require": ["exp", "iss", "sub"]},
        )
        return int(claims["sub"])
    except (jwt.InvalidTokenError, ValueError):
        return None
