"""A start that fails says why, in one sentence."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class StartError(RuntimeError):
    """The service cannot start; the message is the reason and what to do."""


class ClearStart:
    """Tells the server the reason of a failed start instead of a traceback.

    `reasons` is filled by whoever starts the parts.
    """

    def __init__(self, app: ASGIApp, reasons: list[str]) -> None:
        self._app = app
        self._reasons = reasons

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; change what is said of a failed start."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def clear(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed" and self._reasons:
                message = {**message, "message": self._reasons[-1]}
            await send(message)

        await self._app(scope, receive, clear)
