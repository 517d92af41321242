"""Administration of purposes and wordings; the ledger and the do-not-contact list to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import Max
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.administration import Audited, PerLanguage, ReadOnly
from apps.core.clock import now

from .models import ConsentEvent, Purpose, Suppression, Wording


@admin.register(Purpose)
class PurposeAdmin(PerLanguage, Audited):
    per_language = ("names", "descriptions")
    list_display = ("name", "code", "purpose_class", "needs_consent", "is_topic", "is_measurement", "is_active")
    list_filter = ("purpose_class", "is_active")
    search_fields = ("name", "code")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Wording)
class WordingAdmin(Audited):
    """A wording is added, never changed: people agreed to exactly that text."""

    list_display = ("purpose", "language", "version", "text", "created_at")
    list_filter = ("purpose", "language")
    fields = ("purpose", "language", "text")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request) and obj is None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        newest = Wording.objects.filter(purpose=obj.purpose, language=obj.language).aggregate(Max("version"))
        obj.version, obj.created_at = (newest["version__max"] or 0) + 1, now()
        super().save_model(request, obj, form, change)


@admin.register(ConsentEvent)
class ConsentEventAdmin(ReadOnly):
    list_display = ("at", "customer_id", "channel", "purpose", "action", "source", "method", "by_person")
    list_filter = ("action", "channel", "purpose", "by_person", "method")
    search_fields = ("=customer__id",)
    list_select_related = ("purpose",)
    exclude = ("address", "address_hash", "customer")
    search_help_text = _("number of the customer")


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly):
    list_display = ("created_at", "reason", "channel", "customer_id", "created_by", "lifted_at")
    list_filter = ("reason", "channel")
    exclude = ("address_hash", "customer")
    list_select_related = ("created_by",)
