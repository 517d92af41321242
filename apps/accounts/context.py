"""What every page's frame needs to know about its visitor."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.accounts import notifications
from apps.accounts.models import User


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`unread_notifications`: the number at the bell, counted only where a template shows it."""

    def count() -> int:
        user = getattr(request, "user", None)
        return notifications.unread(user).count() if isinstance(user, User) else 0

    return {"unread_notifications": SimpleLazyObject(count)}
