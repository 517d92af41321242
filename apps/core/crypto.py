"""Credentials of providers, encrypted at rest. The first of CREDENTIAL_KEYS writes, all of them read."""

import json
from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """None of CREDENTIAL_KEYS opens the stored credentials: a key was lost, or the bytes are damaged."""


def encrypt(credentials: dict[str, Any]) -> bytes:
    """The credentials as bytes for a BinaryField; no two encryptions are alike."""
    return _box(tuple(settings.CREDENTIAL_KEYS)).encrypt(json.dumps(credentials).encode())


def decrypt(stored: bytes | memoryview) -> dict[str, Any]:
    """The credentials again; nothing stored gives an empty dict. Raises CannotDecrypt."""
    if not stored:
        return {}
    try:
        plain = _box(tuple(settings.CREDENTIAL_KEYS)).decrypt(bytes(stored))
    except InvalidToken as error:
        raise CannotDecrypt("no key in CREDENTIAL_KEYS opens these credentials") from error
    found: dict[str, Any] = json.loads(plain)
    return found


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    digests = (blake2b(key.encode(), digest_size=32, person=b"concord secrets").digest() for key in keys)
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])
