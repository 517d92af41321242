"""`/healthz`: the process answers. `/readyz`: it can also reach its database, broker and cache. For load balancers."""

from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.accounts import access
from config.celery import app


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    with app.connection_for_write(connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)


def _cache() -> None:
    cache.set("readyz", 1, 10)


CHECKS: dict[str, Callable[[], None]] = {"database": _database, "broker": _broker, "cache": _cache}


@access.public("a load balancer asks without a login; the answer holds no data")
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@access.public("a load balancer asks without a login; the answer names parts, never their addresses")
def readyz(request: HttpRequest) -> JsonResponse:
    states = {name: _state(check) for name, check in CHECKS.items()}
    return JsonResponse(states, status=200 if set(states.values()) == {"ok"} else 503)


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception:  # whatever the client library raises, the part is not ready
        return "unreachable"
    return "ok"
