"""The websocket of live events."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from anyio import create_task_group
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool

from tracehub.context import Here
from tracehub.feed import Listener

router = APIRouter()

POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013


@router.websocket("/ws")
async def live(websocket: WebSocket, here: Here, token: str = "") -> None:
    # A browser cannot set headers here, hence the token in the query. Nor can it see why a
    # handshake failed, hence the refusal after it.
    user = await run_in_threadpool(here.user_of, token)
    await websocket.accept()
    if user is None:
        await websocket.close(POLICY_VIOLATION, "log in first")
        return
    settings = here.settings
    with here.feed.listener(user.organisation_id) as listener:
        listener.queue.put_nowait({"type": "hello", "tag": settings.tag, "slot": settings.slot})
        async with create_task_group() as tasks:

            async def until_done(work: Callable[[], Awaitable[object]]) -> None:
                await work()
                tasks.cancel_scope.cancel()

            tasks.start_soon(until_done, partial(_send, websocket, listener))
            tasks.start_soon(until_done, partial(_receive, websocket))
            tasks.start_soon(until_done, listener.lagging.wait)
    if listener.lagging.is_set():
        # It has missed something: let it come back and load the list anew.
        with suppress(RuntimeError):
            await websocket.close(TRY_AGAIN_LATER, "too slow")


async def _send(websocket: WebSocket, listener: Listener) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.send_json(await listener.queue.get())


async def _receive(websocket: WebSocket) -> None:
    # Nothing is expected from the client; reading is how its leaving is noticed.
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
