import time

import jwt
import pytest
from fastapi.testclient import TestClient

from tests.conftest import PASSWORD, SECRET
from tracehub import tokens
from tracehub.app import FAILED_LOGINS_PER_MINUTE

LOGIN = "/api/v1/auth/login"


def test_log_in(client: TestClient) -> None:
    answer = client.post(LOGIN, json={"email": " ADA@acme.example", "password": PASSWORD})
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == tokens.LIFETIME_SECONDS
    assert body["user"] == client.get("/api/v1/me").json()
    assert body["user"]["organisation"]["name"] == "Acme"
    assert client.get("/api/v1/audit").json()["items"][0]["action"] == "login"
    client.headers["Authorization"] = f"Bearer {body['access_token']}"
    assert client.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("email", ["ada@acme.example", "nobody@acme.example"])
def test_a_wrong_password_and_an_unknown_email_look_the_same(
    client: TestClient, email: str
) -> None:
    answer = client.post(LOGIN, json={"email": email, "password": "wrong"})
    assert answer.status_code == 401
    assert answer.json() == {"detail": "wrong email or password"}


def test_failures_are_limited_by_what_nginx_says_of_the_client(client: TestClient) -> None:
    wrong = {"email": "ada@acme.example", "password": "wrong"}

    def attempt(number: int, address: str) -> int:
        forwarded = f"10.0.0.{number}, {address}"
        answer = client.post(LOGIN, json=wrong, headers={"X-Forwarded-For": forwarded})
        return int(answer.status_code)

    tries = [attempt(number, "192.0.2.1") for number in range(FAILED_LOGINS_PER_MINUTE + 1)]
    assert tries == [401] * FAILED_LOGINS_PER_MINUTE + [429]
    assert attempt(0, "192.0.2.2") == 401


def claims(**changes: object) -> dict[str, object]:
    return {"iss": "tracehub", "sub": "1", "exp": time.time() + 60, **changes}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer nonsense",
        "Basic " + jwt.encode(claims(), SECRET),
        "Bearer " + jwt.encode(claims(exp=1), SECRET),
        "Bearer " + jwt.encode(claims(iss="another"), SECRET),
        "Bearer " + jwt.encode(claims(sub="ada"), SECRET),
        "Bearer " + jwt.encode(claims(sub="99"), SECRET),
        "Bearer " + jwt.encode(claims(), SECRET + "!"),
        "Bearer " + jwt.encode(claims(), None, algorithm="none"),
    ],
)
def test_other_tokens_are_nobodys(client: TestClient, header: str) -> None:
    answer = client.get("/api/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
