"""Settings: flag > environment (`ELECTIS_*`) > profile in `config.toml` > default (design section 7)."""

from __future__ import annotations

import os
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from electis_cli.domain.errors import Misconfigured

KEY_CREDENTIAL = "electis.key"
"""What the master key is called among the credentials of a systemd service (see `electis daemon unit`)."""


def home_from_environment() -> Path | None:
    """Return the folder that holds configuration, data and state together, when `ELECTIS_HOME` names one."""
    value = os.environ.get("ELECTIS_HOME")
    return Path(value).expanduser().absolute() if value else None


def _folder(variable: str, fallback: str, inside_home: str) -> Path:
    home = home_from_environment()
    if home is not None:
        return home / inside_home
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / fallback) / "electis"


def config_folder() -> Path:
    """Return where `config.toml` and `secret.key` are."""
    return _folder("XDG_CONFIG_HOME", ".config", "")


def data_folder() -> Path:
    """Return where the embedded database is."""
    return _folder("XDG_DATA_HOME", ".local/share", "data")


def state_folder() -> Path:
    """Return where sessions and locks are."""
    return _folder("XDG_STATE_HOME", ".local/state", "state")


class Settings(BaseSettings):
    """Everything that can be set from outside; times are in seconds."""

    model_config = SettingsConfigDict(env_prefix="ELECTIS_", extra="ignore")

    # What may hold a password is no part of the representation, which ends up in tracebacks.
    database_url: str = Field(default="", repr=False)
    redis_url: str = Field(default="", repr=False)
    smtp_url: str = Field(default="", repr=False)
    on_alert: str = Field(default="", repr=False)
    secret_key: str = Field(default="", repr=False)
    secret_key_file: Path | None = None
    aims_hosts: str = ""
    aims_ca_file: Path | None = None
    aims_proxy: str = Field(default="", repr=False)
    org: str = ""
    store: str = ""
    keyring: bool = True
    base_url: str = ""

    access_token_seconds: float = Field(default=900, gt=0)
    refresh_token_seconds: float = Field(default=14 * 86400, gt=0)
    lease_seconds: float = Field(default=60, gt=0)
    settle_seconds: float = Field(default=120, ge=0)
    ping_seconds: float = Field(default=60, gt=0)
    poll_seconds: float = Field(default=1, gt=0)
    housekeeping_seconds: float = Field(default=60, gt=0)
    connect_seconds: float = Field(default=10, gt=0)
    call_seconds: float = Field(default=20, gt=0)
    batch_size: int = Field(default=500, ge=1, le=1000)
    page_size: int = Field(default=500, ge=1, le=500)
    push_threads: int = Field(default=4, ge=1, le=32)
    daemon_refresh_seconds: float = Field(default=5, gt=0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then the environment, then the profile."""
        return init_settings, env_settings, _ProfileSource(settings_cls)

    @cached_property
    def effective_database_url(self) -> str:
        """The database's URL; the embedded database when nothing is set."""
        return self.database_url or f"sqlite:///{data_folder() / 'electis.db'}"

    @property
    def key_file(self) -> Path:
        """The master key's file: the credential that systemd hands to a service, else the one named, else our own."""
        handed = Path(os.environ.get("CREDENTIALS_DIRECTORY", "")) / KEY_CREDENTIAL
        if handed.is_absolute() and handed.is_file():
            return handed
        return self.secret_key_file or config_folder() / "secret.key"


class _ProfileSource(PydanticBaseSettingsSource):
    """The chosen profile's table in `config.toml`, over the table's top level."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        path = config_folder() / "config.toml"
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Misconfigured(f"The file {path} can not be read.", why=str(error)) from error
        profiles = document.pop("profiles", {})
        chosen = os.environ.get("ELECTIS_PROFILE") or document.pop("profile", "default")
        if chosen != "default" and chosen not in profiles:
            raise Misconfigured(f"There is no profile {chosen!r}.", why=f"It is looked for in {path}.")
        return {**document, **profiles.get(chosen, {})}


def load_settings(**flags: Any) -> Settings:
    """Return the settings in force; raises Misconfigured naming every setting that is wrong."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()
        )
        raise Misconfigured("Some settings are not valid.", why=wrong) from error
