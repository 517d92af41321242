"""Administration of provider accounts. Credentials are set on the channel's own page and never shown again."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.accounts.administration import Audited, ReadOnly

from . import administration
from .models import ChannelAccount, PrintBatch


@admin.register(ChannelAccount)
class ChannelAccountAdmin(Audited):
    list_display = (
        "name",
        "channel",
        "adapter",
        "department",
        "is_sandbox",
        "is_elsewhere",
        "rate",
        "daily_capacity",
        "is_active",
    )
    list_filter = ("channel", "is_sandbox", "is_elsewhere", "is_active", "department")
    search_fields = ("name", "sender_address")
    fields = ("channel", "adapter", *administration.FIELDS, "last_error", "last_error_at")
    readonly_fields = ("channel", "adapter", "last_error", "last_error_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PrintBatch)
class PrintBatchAdmin(ReadOnly):
    list_display = ("account", "run_id", "letters", "created_at", "closed_at", "closed_by", "in_home_on")
    list_filter = ("account",)
