"""Headers that every answer has, whoever makes it: what it is not, and that nobody is told where it was asked from."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STARTS = {"http.response.start", "websocket.http.response.start"}
EVERYWHERE = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


class SafeHeaders:
    """ASGI middleware that puts EVERYWHERE into each answer, refusals of websockets included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in STARTS:
                headers = MutableHeaders(scope=message)
                for name, value in EVERYWHERE.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers)
