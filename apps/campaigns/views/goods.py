"""Offers and brands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages as notices
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import access
from apps.accounts.models import Department
from apps.core import clock

from .. import copying, offers
from ..forms.offers import BrandForm, OfferForm
from ..models import Brand, Offer


@access.signed_in
@require_GET
def offer_list(request: HttpRequest) -> HttpResponse:
    """All offers in use."""
    found = offers.offers_of(access.current_user(request))
    return render(request, "campaigns/offers.html", {"offers": found, "now": clock.now()})


@access.role("marketer", "lead")
@require_http_methods(["GET", "POST"])
def offer_new(request: HttpRequest) -> HttpResponse:
    return _offer_form(request, None)


@access.signed_in
@require_http_methods(["GET", "POST"])
@transaction.atomic
def offer_edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _offer_form(request, get_object_or_404(_held(request, Offer.objects.select_related("department")), pk=pk))


def _held(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Locked while somebody saves, so that the second of two people at once sees what the first one saved."""
    return rows.select_for_update(of=("self",)) if request.method == "POST" else rows


def _offer_form(request: HttpRequest, offer: Offer | None) -> HttpResponse:
    user = access.current_user(request)
    department = offer.department if offer else user.department
    access.require(department is not None)
    assert department is not None
    form = OfferForm(request.POST or None, instance=offer, initial=_days(offer))
    if request.method == "POST" and form.is_valid():
        saved = offers.save_offer(
            actor=user, department=department, offer=offer, values=form.cleaned_data,
            valid=offers.span(form.cleaned_data["first_day"], form.cleaned_data["last_day"]),
            prices=form.cleaned_data["price_list"], now=clock.now(),
        )  # fmt: skip
        notices.success(request, _("Saved."))
        return redirect("campaigns:offer", saved.pk)
    used = offer.messages.select_related("campaign__department").defer("plan_audience") if offer else []
    may_edit = access.can_edit(user, department.pk)
    return render(request, "campaigns/offer.html", {"form": form, "offer": offer, "used": used, "may_edit": may_edit})


def _days(offer: Offer | None) -> dict[str, Any]:
    if offer is None:
        return {"first_day": clock.company_day(clock.now())}
    prices = "\n".join(f"{price.country} {price.amount} {price.currency}" for price in offer.prices.order_by("country"))
    return {
        "first_day": clock.company_day(offer.valid_from),
        "last_day": clock.company_day(offer.valid_until - timedelta(microseconds=1)),
        "price_list": prices,
    }


@access.role("marketer", "lead")
@require_POST
def offer_copy(request: HttpRequest, pk: int) -> HttpResponse:
    made = copying.copy_offer(actor=access.current_user(request), offer=get_object_or_404(Offer, pk=pk), now=clock.now())
    return redirect("campaigns:offer", made.pk)


@access.role("marketer", "lead")
@require_POST
def offer_archive(request: HttpRequest, pk: int) -> HttpResponse:
    offers.archive_offer(actor=access.current_user(request), offer=get_object_or_404(Offer, pk=pk), now=clock.now())
    notices.success(request, _("The offer is no longer proposed for new messages."))
    return redirect("campaigns:offers")


@access.signed_in
@require_GET
def brands(request: HttpRequest) -> HttpResponse:
    """Every department's brand."""
    return render(request, "campaigns/brands.html", {"departments": Department.objects.select_related("brand")})


@access.signed_in
@require_http_methods(["GET", "POST"])
@transaction.atomic
def brand(request: HttpRequest, slug: str) -> HttpResponse:
    """One department's logo, colours, sender and footer."""
    department = get_object_or_404(Department, slug=slug)
    user = access.current_user(request)
    may_edit = access.can_approve(user, department.pk) or access.is_administrator(user)
    current = _held(request, Brand.objects.filter(department=department)).first()
    form = BrandForm(request.POST or None, request.FILES or None, instance=current)
    if request.method == "POST":
        access.require(may_edit, _("The department's lead sets its brand."))
        if form.is_valid():
            offers.save_brand(
                actor=user, department=department, footers=form.footers(), logo=form.cleaned_data["logo_file"],
                values={name: form.cleaned_data[name] for name in BrandForm.Meta.fields}, now=clock.now(),
            )  # fmt: skip
            notices.success(request, _("Saved. New messages look like this from now on."))
            return redirect("campaigns:brand", slug)
    return render(request, "campaigns/brand.html",
                  {"form": form, "department": department, "brand": current, "may_edit": may_edit})  # fmt: skip
