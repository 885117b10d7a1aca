"""How much a request may send. Nothing larger is kept, whatever route it is for."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A client that is still sending reads its answer only when it has finished; so much is taken in and thrown away.
DRAINED_BYTES = 128 * 1024 * 1024


class LimitBodies:
    """ASGI middleware: whoever reads a body that is larger than `limit` bytes gets an HTTPException, status 413."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                await _drain(receive, message, received)
                raise HTTPException(413, f"The body is larger than {self._limit:,} bytes: send less, or in parts")
            return message

        await self._app(scope, limited, send)


async def _drain(receive: Receive, message: Message, received: int) -> None:
    while message.get("more_body") and received <= DRAINED_BYTES:
        message = await receive()
        received += len(message.get("body", b""))
