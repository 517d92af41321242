"""Addresses by keyed hash (HMAC-SHA-256, RFC 2104): they can be recognised after they were erased, but not read.

The key must never change: with a new one the do-not-contact list no longer recognises anybody.
"""

import hmac
from functools import lru_cache
from hashlib import sha256

from django.conf import settings

_BLOCK = 64


def address_hash(address: str) -> str:
    """The hash of a normalised address in hexadecimal; of no address the empty text."""
    if not address:
        return ""
    return hmac.digest(_key(), address.encode(), "sha256").hex()


def in_sql(column: str) -> tuple[str, list[bytes]]:
    """The same hash of a column as an SQL expression with its two parameters, so that millions are hashed in place."""
    inner, outer = _pads(_key())
    return f"encode(sha256(%s::bytea || sha256(%s::bytea || convert_to({column}, 'UTF8'))), 'hex')", [outer, inner]


def _key() -> bytes:
    return str(settings.ADDRESS_HASH_KEY).encode()


@lru_cache(maxsize=4)
def _pads(key: bytes) -> tuple[bytes, bytes]:
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    padded = key.ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)
