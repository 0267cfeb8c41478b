"""Settings from the environment: `DIGITS_` and a field's name in capitals, such as DIGITS_API_PORT."""

import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app import cores

PREFIX = "DIGITS_"

DATABASES = ("postgresql://", "postgresql+psycopg://", "sqlite:///")
"""What an address of a database may begin with."""

Port = Annotated[int, Field(ge=1, le=65535)]


MOST_PROCESSES = 8
"""API processes, unless more are asked for: each takes 80 MB."""


def _processes() -> int:
    return min(MOST_PROCESSES, cores.usable())


def _counted(value: object) -> object:
    return _processes() if value == "auto" else value


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    api_host: str = "127.0.0.1"
    api_port: Port = 8000
    ui_host: str = "127.0.0.1"
    ui_port: Port = 8501
    api_url: str = ""
    """Where the page finds the API; empty: on this machine, at `api_port`."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    workers: Annotated[int, BeforeValidator(_counted), Field(ge=1, le=64)] = Field(default_factory=_processes)
    """API processes; `auto`, the default, is one for each processor that may be used, the container's share of them
    included, and at most `MOST_PROCESSES`."""
    models_dir: Path = Path(__file__).parent / "models"
    default_alphabet: str = "digits"
    """The alphabet of requests that name none."""
    model_seconds: Annotated[float, Field(ge=0)] = 5.0
    """Seconds between two looks at the model files: one that is another is served from then on; 0: only at the start.
    """
    models_bucket: str = ""
    """Where newer models than one's own may lie, for all tasks together: s3://NAME, or a folder; empty: nowhere."""
    models_bucket_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Seconds in which each API process looks there whether others are to be served."""
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Comma-separated keys of which a caller must present one; none: everybody may call."""
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    """How many proxies stand in front, each adding one believable entry to X-Forwarded-For."""
    rate_per_address: Annotated[int, Field(ge=0)] = 600
    """Pictures a minute from one address, counted by each API process for itself: of several, each lets as many
    through. 0: no limit."""
    rate_per_key: Annotated[int, Field(ge=0)] = 6000
    """Pictures a minute with one key, counted likewise; 0: no limit."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Comma-separated origins whose pages may call the API from a browser, such as https://example.org."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 10 * 1024 * 1024
    """Bytes of a request's body; what comes after is not read."""
    max_pixels: Annotated[int, Field(ge=784)] = 120_000_000
    """Pixels of a picture, as its header announces them; of formats that take much memory, fewer are accepted."""
    max_batch_files: Annotated[int, Field(ge=1)] = 64
    """Pictures in one call of /predict/batch/ or /read/batch/."""
    max_waiting: Annotated[int, Field(ge=1)] = 256
    """Pictures that may wait to be recognized in one API process; further ones are answered with 503."""
    max_connections: Annotated[int, Field(ge=1)] = 1000
    """Connections open at once to one API process. For one more, the address with the most of them loses the one that
    has waited for its caller the longest; where none waits, the new one is answered with 503 and closed."""
    body_seconds: Annotated[float, Field(gt=0)] = 20.0
    """Seconds in which a request's headers must have arrived, and then its body."""
    drain_seconds: Annotated[float, Field(ge=0, le=60)] = 0.0
    """Seconds that `python -m app` goes on after SIGTERM, saying that it is not ready, until a load balancer knows."""

    samples_database: SecretStr = SecretStr("samples.sqlite3")
    """Where samples are kept: a file of SQLite's, or postgresql://user:password@host/name; empty: none are taken."""
    samples_iam_region: Annotated[str, Field(pattern=r"^([a-z]{2}(-[a-z]+)+-\d)?$")] = ""
    """The region of AWS, such as us-east-1, whose IAM signs in to that server, in place of a password; its address then
    is postgresql://user@host/name?sslmode=verify-full&sslrootcert=FILE."""
    samples_migrate: bool = True
    """Whether the tables there are made and changed at the start; else by `python -m app.samples migrate` alone."""
    samples_outbox: Path = Path("samples-outbox.sqlite3")
    """Where samples wait, on this machine, for a database that is no file of it."""
    samples_megabytes: Annotated[int, Field(ge=1)] = 1000
    """What that file may take, and the database; a sample for which there is no room is refused."""
    samples_days: Annotated[int, Field(ge=0)] = 0
    """After which samples are deleted; 0: they stay."""
    admin_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Comma-separated keys with which samples are read, relabelled and deleted; none: there are no such calls."""

    @field_validator("samples_database")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        address = value.get_secret_value()
        if "://" in address and not address.startswith(DATABASES):
            raise ValueError(f"A path of a file, or an address that begins with {' or '.join(DATABASES)}, is needed")
        return value

    @field_validator("models_bucket")
    @classmethod
    def _known_bucket(cls, value: str) -> str:
        if "://" in value and not re.fullmatch(r"s3://[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", value):
            raise ValueError("s3:// and a bucket's name, or a path of a folder, is needed")
        return value

    @field_validator("samples_iam_region")
    @classmethod
    def _tokens_for_nobody_else(cls, value: str, info: ValidationInfo) -> str:
        database = info.data.get("samples_database")
        if value and database and "sslmode=verify-full" not in database.get_secret_value():
            raise ValueError("The address in DIGITS_SAMPLES_DATABASE must say sslmode=verify-full")
        return value

    @field_validator("api_keys", "admin_keys", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @property
    def samples_server(self) -> str:
        """The address of the samples' database where it is no file of this machine, else nothing."""
        address = self.samples_database.get_secret_value()
        return address if address.startswith("postgresql") and "://" in address else ""

    @property
    def samples_file(self) -> Path:
        """Where a sample is first written: the database, where it is a file, else the outbox before it."""
        if self.samples_server:
            return self.samples_outbox
        return Path(self.samples_database.get_secret_value().removeprefix("sqlite:///"))

    @property
    def samples_bytes(self) -> int:
        return self.samples_megabytes * 1_000_000

    @property
    def api_address(self) -> str:
        return self.api_url.rstrip("/") or f"http://127.0.0.1:{self.api_port}"


def first_key(variable: str) -> str:
    """The first of the keys in a variable of the environment; empty where there is none."""
    return os.environ.get(variable, "").partition(",")[0].strip()


@cache
def load() -> Settings:
    """The settings; ends the program with a sentence that names the variable when one is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = PREFIX + "_".join(str(part) for part in problem["loc"][:1]).upper()
            print(f"{name}: {problem['msg']}", file=sys.stderr)
        raise SystemExit(2) from None
