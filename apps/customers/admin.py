"""Administration of sources, attributes and the product tree. People are opened in the product, masked and logged."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from apps.accounts.administration import Audited, Lines, PerLanguage, ReadOnly
from apps.core.clock import now

from . import care
from .models import AttributeDefinition, Category, ImportJob, Product, ProductPrice, Source


@admin.register(Source)
class SourceAdmin(Audited):
    list_display = ("name", "code", "default_country")
    search_fields = ("name", "code")
    fields = ("name", "code", "default_country")
    prepopulated_fields = {"code": ("name",)}


class AttributeForm(forms.ModelForm):
    choices = Lines(label="Choices", help_text="One per line; only for the type “one of a list”.")

    class Meta:
        model = AttributeDefinition
        fields = ("label", "key", "kind", "choices", "is_personal")


@admin.register(AttributeDefinition)
class AttributeAdmin(Audited):
    form = AttributeForm
    list_display = ("label", "key", "kind", "is_personal")
    list_filter = ("kind", "is_personal")
    search_fields = ("label", "key")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.created_at = obj.created_at or now()
        super().save_model(request, obj, form, change)


@admin.register(Category)
class CategoryAdmin(Audited):
    list_display = ("name", "code", "parent")
    search_fields = ("name", "code")
    list_select_related = ("parent",)
    fields = ("name", "code", "parent")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        obj.path = f"{obj.parent.path if obj.parent else '/'}{obj.pk}/"
        obj.save(update_fields=["path"])


class PriceInline(admin.TabularInline):
    template = "admin/inline_table.html"
    model = ProductPrice
    extra = 0


@admin.register(Product)
class ProductAdmin(PerLanguage, Audited):
    per_language = ("names",)
    list_display = ("name", "sku", "brand", "category", "is_active")
    list_filter = ("category", "brand", "is_active")
    search_fields = ("name", "sku", "brand")
    list_select_related = ("category",)
    inlines = (PriceInline,)
    actions = ("recall",)

    @admin.action(description=_("Recall: serve the buyers of one product first"))
    def recall(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Leads to the page of the recall, where people are counted before anything happens."""
        if not care.may_recall(request.user) or queryset.count() != 1:
            self.message_user(request, _("Choose one product; the privacy role and administrators call products back."))
            return None
        return redirect("customers:recall", queryset.get().pk)


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnly):
    list_display = ("filename", "source", "kind", "status", "rows_total", "rows_refused", "created_by", "created_at")
    list_filter = ("status", "kind", "source")
    search_fields = ("filename",)
    fields = (
        "filename",
        "source",
        "kind",
        "status",
        "message",
        "rows_total",
        "rows_done",
        "rows_refused",
        "created_by",
        "created_at",
        "started_at",
        "finished_at",
        "undone_at",
    )
