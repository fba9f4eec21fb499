"""Passwords are kept as scrypt hashes, which say how they were made."""

import base64
import hashlib
import hmac
import os

# 16 MiB and about 50 ms: felt by whoever tries many, not by whoever logs in.
COST, BLOCK, PARALLEL = 2**14, 8, 1


def hash_password(password: str) -> str:
    salt = os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL)
    return "$".join(("scrypt", str(COST), str(BLOCK), str(PARALLEL), _text(salt), _text(digest)))


def verify_password(password: str, stored: str) -> bool:
    _, cost, block, parallel, salt, digest = stored.split("$")
    made = hashlib.scrypt(
        password.encode(),
        salt=base64.b64decode(salt),
        n=int(cost),
        r=int(block),
        p=int(parallel),
    )
    return hmac.compare_digest(made, base64.b64decode(digest))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


# Compared against when there is no such user, so that the answer takes as long.
NOBODY = hash_password(os.urandom(16).hex())
