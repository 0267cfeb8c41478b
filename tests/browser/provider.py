"""A small OpenID Connect provider that signs everybody in as the same person."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "the-page", "only-for-tests"
PERSON = {"sub": "1", "email": "ada@example.org", "email_verified": True, "name": "Ada"}


def _provider(issuer: str) -> FastAPI:
    key = RSAKey.generate_key(2048, parameters={"kid": "test", "use": "sig", "alg": "RS256"})
    nonces: dict[str, str | None] = {}
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def metadata() -> dict[str, Any]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False)]}

    @app.get("/authorize")
    def authorize(client_id: str, redirect_uri: str, state: str, nonce: str | None = None) -> RedirectResponse:
        assert client_id == CLIENT_ID
        code = secrets.token_urlsafe()
        nonces[code] = nonce
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}")

    @app.post("/token")
    def token(code: str = Form()) -> dict[str, Any]:
        now = int(time.time())
        claims = PERSON | {"iss": issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 600, "nonce": nonces.pop(code)}
        signed = jwt.encode({"alg": "RS256", "kid": "test"}, claims, key)
        return {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "expires_in": 600, "id_token": signed}

    return app


@contextmanager
def provider(port: int) -> Iterator[str]:
    """A running provider's address."""
    issuer = f"http://localhost:{port}"
    server = uvicorn.Server(uvicorn.Config(_provider(issuer), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield issuer
    server.should_exit = True
    thread.join(10)
