"""Reads the environment through django-environ; a wrong value is refused with its name and what would be right."""

import os
import secrets
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class Environment:
    """Typed reading of environment variables. `<NAME>_FILE` may name a file that holds a secret's value."""

    def __init__(self, env_file: Path) -> None:
        self.env = environ.Env()
        self.read: set[str] = set()
        if env_file.exists():
            self.env.read_env(str(env_file))

    def text(self, name: str, default: str | None) -> str:
        """The value of `name`, or the default; where the default is None the variable is required."""
        self.read.add(name)
        value = self.env.str(name, default="").strip()
        if not value and default is None:
            raise ImproperlyConfigured(f"{name} is not set, and production needs it.")
        return value or default or ""

    def _parsed(self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        value = self.text(name, "")
        if not value:
            return default
        try:
            return parse(value)
        except (KeyError, ValueError, ImproperlyConfigured) as error:
            raise ImproperlyConfigured(f"{name} is {value!r}, expected {expected}.") from error

    def boolean(self, name: str, default: bool) -> bool:
        return self._parsed(name, default, lambda value: _WORDS[value.lower()], "true or false")

    def integer(self, name: str, default: int) -> int:
        return self._parsed(name, default, int, "a whole number")

    def choice(self, name: str, allowed: Collection[str], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            shown = ", ".join(sorted(allowed)[:8])
            raise ImproperlyConfigured(f"{name} is {value!r}, expected one of: {shown}.")
        return value

    def words(self, name: str, default: list[str] | None) -> list[str]:
        """A list separated by commas."""
        value = self.text(name, None if default is None else " ")
        return [word.strip() for word in value.split(",") if word.strip()] or default or []

    def url(self, name: str, default: str | None) -> str:
        """A web address without its trailing slash."""
        value = self.text(name, default)
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ImproperlyConfigured(
                f"{name} is {value!r}, expected a web address such as https://concord.example.com."
            )
        return value.rstrip("/")

    def secret(self, name: str, default: str | None) -> str:
        """A value of at least 32 characters, given directly or by the file that `<name>_FILE` names."""
        file_name = self.text(f"{name}_FILE", "")
        if file_name:
            return Path(file_name).read_text().strip()
        value = self.text(name, default)
        if len(value) < 32:
            raise ImproperlyConfigured(f"{name} has {len(value)} characters, expected at least 32 random ones.")
        return value

    def directory(self, name: str, default: Path) -> Path:
        return Path(self.text(name, str(default)))

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Django's settings of a PostgreSQL database."""
        value = self.text(name, default)
        config: dict[str, Any] = dict(self.env.db_url_config(value))
        if "postgresql" not in str(config.get("ENGINE")):
            raise ImproperlyConfigured(f"{name} must begin with postgres://; Concord needs PostgreSQL 18.")
        return config

    def cache(self, url: str, broker_url: str, embedded_url: str) -> dict[str, Any]:
        """CACHE_URL if given; else the broker when it is Valkey or Redis; else (RabbitMQ) a database table."""
        if not url and not broker_url:
            url = embedded_url
        if not url and broker_url.startswith(("redis://", "rediss://", "unix://")):
            url = broker_url
        if not url:
            return {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "concord_cache"}
        if url.startswith(("redis://", "rediss://", "unix://")):
            return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}
        try:
            return dict(self.env.cache_url_config(url))
        except (KeyError, ImproperlyConfigured) as error:
            raise ImproperlyConfigured(f"CACHE_URL is {url!r}, expected redis://host:port/1.") from error

    def email(self, name: str, default: str) -> dict[str, Any]:
        """Django's EMAIL_* settings."""
        return self._parsed(
            name,
            dict(self.env.email_url_config(default)),
            lambda value: dict(self.env.email_url_config(value)),
            "an address such as smtp+tls://user:password@host:587",
        )

    def oidc(self) -> dict[str, Any]:
        """One OpenID Connect provider when OIDC_SERVER_URL is set; allauth's providers setting."""
        server, client = self.text("OIDC_SERVER_URL", ""), self.text("OIDC_CLIENT_ID", "")
        secret, name = self.text("OIDC_CLIENT_SECRET", ""), self.text("OIDC_NAME", "Company account")
        if not server:
            return {}
        if not client or not secret:
            raise ImproperlyConfigured(
                "OIDC_SERVER_URL is set, so OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are needed too."
            )
        app = {
            "provider_id": "company",
            "name": name,
            "client_id": client,
            "secret": secret,
            "settings": {"server_url": self.url("OIDC_SERVER_URL", None)},
        }
        return {"openid_connect": {"APPS": [app], "EMAIL_AUTHENTICATION": True}}


def kept_secret(directory: Path, name: str) -> str:
    """A random secret that survives restarts: generated once into `directory`, readable by its owner only."""
    path = directory / name
    directory.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
