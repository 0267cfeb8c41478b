"""The API as one application."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from uvicorn.config import STARTUP_FAILURE

from app import garbage, settings
from app.api import docs, errors, logs, openapi, routes, samples
from app.api.access import Gate
from app.api.headers import SecurityHeaders
from app.api.limits import BodyLimits
from app.api.memory import return_large_blocks
from app.api.models import Models
from app.api.said import Said
from app.api.samples import Figures
from app.api.service import Service
from app.api.telemetry import Telemetry
from app.api.watch import Watch
from app.api.work import Lanes
from app.leaving import Leaving
from app.reading.recognizer import UnusableModel
from app.samples.keeper import Keeper
from app.settings import Settings

log = logging.getLogger(__name__)


def create_app(config: Settings) -> FastAPI:
    """The application, with its models loaded. Raises UnusableModel."""
    models = Models(config.models_dir, config.default_alphabet)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        lanes = Lanes(config.max_waiting, config.max_pixels)
        keeper = Keeper(config, Figures()) if config.samples_database else None
        app.state.service = Service(config, models, lanes, Gate(config), keeper)
        if keeper:
            keeper.resume()
        if not config.api_keys:
            log.warning("No API keys are set (DIGITS_API_KEYS): everybody who reaches this port may call.")
        log.info("Ready.", extra={"fields": {"models": models.versions, "processes": config.workers}})
        app.state.watch = Watch()
        app.state.said = Said(keeper, config, models)
        going_on = [asyncio.create_task(app.state.watch.go_on())]
        if config.model_seconds:
            going_on.append(asyncio.create_task(models.watch(config.model_seconds)))
        if config.models_bucket:
            from app.api.released import Released  # half a megabyte, which few need

            released = Released(config.models_bucket, models)
            going_on.append(asyncio.create_task(released.watch(config.models_bucket_seconds)))
        garbage.leave_out_what_stays()
        yield
        for task in going_on:
            task.cancel()
        lanes.close()
        if keeper:
            keeper.close()
        logs.flush()

    middleware = [Middleware(Telemetry), Middleware(Leaving), Middleware(SecurityHeaders)]
    if config.cors_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=config.cors_origins,
                allow_methods=["GET", "POST", "PATCH", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID", "X-Visitor"],
                expose_headers=["X-Request-ID", "Retry-After"],
            )
        )
    middleware.append(Middleware(BodyLimits, max_bytes=config.max_body_bytes, seconds=config.body_seconds))
    app = FastAPI(
        title="Digit Recognition API",
        version="1.0.0",
        description="Send a picture of a handwritten character, get the character.",
        lifespan=lifespan,
        middleware=middleware,
        exception_handlers=errors.HANDLERS,
        redirect_slashes=False,
        docs_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # Telemetry above is ours
        redoc_url=None,
    )
    for_admins = [samples.for_admins] if config.admin_keys else []
    routers = [routes.public, routes.guarded, samples.router, *for_admins, docs.router]
    for router in routers:
        app.include_router(router)
    app.state.calls = [call for router in routers for call in router.routes]
    openapi.complete(
        app,
        models.served,
        models.of_lines,
        config.default_alphabet,
        keys_needed=bool(config.api_keys),
        admins=bool(config.admin_keys),
    )
    return app


def served_app() -> FastAPI:
    """For the server, in each of its processes: ends it with a sentence where a model cannot be used."""
    return_large_blocks()
    try:
        return create_app(settings.load())
    except UnusableModel as error:
        print(error, file=sys.stderr)
        raise SystemExit(STARTUP_FAILURE) from None
