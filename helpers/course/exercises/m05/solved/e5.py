# Written by `course build` from solutions/src/05_serve_with_fastapi.py: change it there.
import asyncio
# The exercise's own cell.
def probes(service: Service) -> APIRouter:
    """A router with GET /livez and GET /readyz."""
    router = APIRouter()

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        bad = {"queue": service.waiting >= service.most_waiting, "stopping": service.stopping}
        try:
            async with asyncio.timeout(0.5):
                await service.model.ping()
            bad["model"] = not service.model.loaded
        except (ModelFailed, TimeoutError):
            bad["model"] = True
        reasons = [name for name, is_so in bad.items() if is_so]
        return JSONResponse({"reasons": reasons}, 503 if reasons else 200)

    return router
ANSWER = probes
