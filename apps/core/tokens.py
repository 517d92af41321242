"""Opaque tokens for links: encrypted, authenticated, bound to a kind, readable after the keys have rotated.

AES-SIV (RFC 5297) needs no nonce, so a token is short enough for an SMS and the same facts always give the same link.
"""

import json
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

Part = int | str
MAX_LENGTH = 1000


class BadToken(Exception):
    """The token was not made here, was altered, or is of another kind."""


def seal(kind: str, payload: Sequence[Part]) -> str:
    """A URL-safe token that only this installation can read. `kind` keeps a token of one use out of another."""
    plain = json.dumps(list(payload), separators=(",", ":"), ensure_ascii=False).encode()
    sealed = _ciphers(tuple(settings.TOKEN_KEYS))[0].encrypt(plain, [kind.encode()])
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(kind: str, token: str) -> tuple[Part, ...]:
    """The payload that was sealed, under the newest or any older key. Raises BadToken."""
    if len(token) > MAX_LENGTH:
        raise BadToken("too long")
    try:
        sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (Base64Error, ValueError) as error:
        raise BadToken("not a token") from error
    for cipher in _ciphers(tuple(settings.TOKEN_KEYS)):
        try:
            return tuple(json.loads(cipher.decrypt(sealed, [kind.encode()])))
        except (InvalidTag, ValueError):
            continue
    raise BadToken("no key opens this token")


def tag(kind: str, text: str) -> str:
    """A short proof (50 bits, lower case, fit for a mail address) that `text` was written here."""
    return _tag(settings.TOKEN_KEYS[0], kind, text)


def is_tag(kind: str, text: str, given: str) -> bool:
    """Whether `given` is the tag of `text` under the newest or any older key."""
    return any(compare_digest(_tag(key, kind, text), given.lower()) for key in settings.TOKEN_KEYS)


def _tag(key: str, kind: str, text: str) -> str:
    secret = blake2b(key.encode(), digest_size=32, person=b"concord tag").digest()
    digest = blake2b(f"{kind}\n{text}".encode(), digest_size=10, key=secret).digest()
    return b32encode(digest).decode()[:10].lower()


@lru_cache(maxsize=8)
def _ciphers(keys: tuple[str, ...]) -> list[AESSIV]:
    return [AESSIV(blake2b(key.encode(), digest_size=64, person=b"concord token").digest()) for key in keys]
