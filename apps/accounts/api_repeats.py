"""The ``Idempotency-Key`` header: a POST that is sent twice is done once (draft-ietf-httpapi-idempotency-key-header).

The answer is kept in the same transaction as what it tells of, so either both are there or neither. A refusal is not kept:
nothing was done, and the same key may be tried again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import connection, transaction
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.problems import KeyUsedOtherwise

from .models import ApiAnswer, ApiToken

HEADER = "Idempotency-Key"
KEPT = timedelta(days=7)
LONGEST = 200


def once(request: Request, act: Callable[[], Response], *, now: datetime) -> Response:
    """Does ``act`` in one transaction, or gives the answer that the same request with the same key got before."""
    key = request.headers.get(HEADER, "")
    token = request.auth
    if not key or not isinstance(token, ApiToken):
        with transaction.atomic():
            return act()
    if len(key) > LONGEST or not key.isprintable():
        raise ValidationError({HEADER: [f"At most {LONGEST} printable characters."]})
    digest = _digest(request)
    with transaction.atomic():
        _one_at_a_time(token, key)
        ApiAnswer.objects.filter(token=token, answered_at__lt=now - KEPT).delete()
        if before := ApiAnswer.objects.filter(token=token, key=key).first():
            if before.digest != digest:
                raise KeyUsedOtherwise
            return Response(before.body, status=before.status, headers={"Idempotent-Replayed": "true"})
        answer = act()
        body = json.loads(JSONRenderer().render(answer.data) or b"null")
        ApiAnswer.objects.create(
            token=token, key=key, digest=digest, status=answer.status_code, body=body, answered_at=now
        )
        return answer


def _digest(request: Request) -> str:
    sent = json.dumps(request.data, sort_keys=True, default=str)
    return sha256(f"{request.method} {request.path}\n{sent}".encode()).hexdigest()


def _one_at_a_time(token: ApiToken, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"api:{token.pk}:{key}"])
