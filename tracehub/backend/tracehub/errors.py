"""Every error is {"detail": "a sentence"}."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError, TimeoutError

log = logging.getLogger(__name__)


def _answer(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    sentences = []
    for problem in error.errors():
        # The first of `loc` says body, query or path, which helps nobody.
        where = ".".join(str(part) for part in problem["loc"][1:])
        words = problem["msg"].removeprefix("Value error, ")
        sentences.append(f"{where}: {words}" if where else words)
    return _answer(422, "; ".join(sentences))


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    log.warning("the database does not answer: %s", str(error).split("\n")[0])
    response = _answer(503, "the database does not answer")
    response.headers["Retry-After"] = "2"
    return response


async def _failed(_: Request, error: Exception) -> JSONResponse:
    return _answer(500, "the server failed; its log says why")


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(OperationalError, _unavailable)
    app.add_exception_handler(TimeoutError, _unavailable)
    app.add_exception_handler(Exception, _failed)
