"""The list of customers and the page of one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts import access, audit
from apps.accounts.masking import mask_name, mask_text
from apps.core import clock
from apps.core.http import render_page
from apps.customers import directory, merging, panels, timeline
from apps.customers.models import AttributeDefinition, Customer, MergeRecord

from . import care, showing


@access.signed_in
def people_list(request: HttpRequest) -> HttpResponse:
    """Everybody by name, or those whom the words name."""
    user = access.current_user(request)
    words, after = request.GET.get("q", ""), request.GET.get("after", "")
    found = directory.search(words, after=after)
    people = showing.lines(user, found.people)
    if people:
        audit.opened_people(actor=user, subject=Customer(), count=len(people), where="customers", now=clock.now())
    context = {
        "people": people,
        "q": words,
        "next": found.after,
        "is_first": not after,
        "masked": not access.can_open_people(user),
    }
    return render_page(request, "customers/list.html", context, "people")


@access.signed_in
def customer_page(request: HttpRequest, customer_id: int) -> HttpResponse:
    """One person: timeline, what they allow, who says what of them, what is coming."""
    user, now = access.current_user(request), clock.now()
    customer = get_object_or_404(Customer, pk=customer_id)
    if customer.merged_into_id:
        return redirect("customers:customer", merging.survivor_map([customer.pk])[customer.pk])
    if customer.erased_at or customer.undone_at:
        return render_page(request, "customers/tombstone.html", {"customer": customer}, status=410)
    audit.opened_people(actor=user, subject=customer, count=1, where="customer", now=now)
    context = {
        "customer": customer,
        "name": mask_name(user, customer.name) or _("Customer %(id)d") % {"id": customer.pk},
        "facts": _facts(customer, now),
        "summary": timeline.summary(customer),
        "page": timeline.page(customer, now=now),
        "attributes": _attributes(user, customer),
        "sources": _sources(user, customer),
        "merges": _merges(user, customer),
        "side": [panel for slot in panels.SIDE_SLOTS for panel in panels.panels(slot, request, customer, now)],
        "can_merge": _can_merge(user),
        "can_erase": access.can_export_people(user),
        "masked": not access.can_open_people(user),
        "care": care.card(request, customer),
    }
    return render_page(request, "customers/customer.html", context)


def _facts(customer: Customer, now: datetime) -> dict[str, str]:
    return {
        "place": ", ".join(filter(None, [customer.city, showing.country_name(customer.country)])),
        "language": showing.language_name(customer.language) if customer.language else "",
        "time": showing.local_time(customer, now),
    }


def _attributes(user: Any, customer: Customer) -> list[tuple[str, str]]:
    known = {one.key: one for one in AttributeDefinition.objects.filter(key__in=list(customer.attributes))}
    shown = []
    for key, value in customer.attributes.items():
        definition = known.get(key)
        words = {True: _("yes"), False: _("no")}.get(value) if isinstance(value, bool) else str(value)
        if definition is None or definition.is_personal:
            words = mask_text(user, str(words))
        shown.append((definition.label if definition else key, str(words)))
    return shown


def _sources(user: Any, customer: Customer) -> list[dict[str, Any]]:
    """What each source says, side by side, and why it is this person."""
    records = (
        customer.source_records.select_related("source").prefetch_related("contact_points").order_by("first_seen", "pk")
    )
    return [
        {
            "record": record,
            "addresses": [
                showing.address(user, one)
                for one in sorted(record.contact_points.all(), key=lambda one: one.kind == "postal")
                if one.valid_to is None
            ],
            "raw": [(key, mask_text(user, str(value))) for key, value in record.raw.items()],
            "rule": timeline.rule_words(record.match_rule),
        }
        for record in records
    ]


def _merges(user: Any, customer: Customer) -> list[dict[str, Any]]:
    found = MergeRecord.objects.filter(survivor=customer, undone_at=None).select_related("absorbed", "merged_by")
    return [
        {
            "merge": one,
            "name": mask_name(user, one.absorbed.name),
            "rule": timeline.rule_words(one.rule),
            "records": len(one.source_records),
        }
        for one in found
        if one.absorbed.merged_into_id == customer.pk
    ]


@access.signed_in
def timeline_part(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Earlier entries of the timeline."""
    customer = get_object_or_404(Customer.objects.living(), pk=customer_id)
    try:
        before = datetime.fromisoformat(request.GET.get("before", ""))
    except ValueError:
        return redirect("customers:customer", customer_id)
    now = clock.now()
    page = timeline.page(customer, now=now, before=before if before.tzinfo else now)
    name = mask_name(request.user, customer.name)
    return render_page(
        request, "customers/timeline.html", {"customer": customer, "page": page, "name": name}, "entries"
    )


def _can_merge(user: Any) -> bool:
    return access.can_open_people(user) or access.is_administrator(user) or user.role == "lead"


@access.signed_in
@require_POST
def merge_by_hand(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Joins another customer to this one, or shows first what that means."""
    user = access.current_user(request)
    access.require(_can_merge(user))
    number = request.POST.get("other", "").strip().removeprefix("#")
    other = Customer.objects.living().filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if other is None or other.pk == customer_id:
        messages.error(request, _("There is no other customer with this number."))
        return redirect("customers:customer", customer_id)
    survivor, absorbed = sorted([customer_id, other.pk])
    try:
        merging.merge(survivor=survivor, absorbed=absorbed, rule="by hand", actor=user, now=clock.now())
    except merging.CannotMerge as error:
        messages.error(request, str(error))
        return redirect("customers:customer", customer_id)
    messages.success(request, _("The two are one person now. Every consent stays where it was given."))
    return redirect("customers:customer", survivor)


@access.signed_in
@require_POST
def unmerge(request: HttpRequest, merge_id: int) -> HttpResponse:
    """Parts two people again."""
    user = access.current_user(request)
    access.require(_can_merge(user))
    merge = get_object_or_404(MergeRecord, pk=merge_id)
    try:
        restored = merging.unmerge(merge=merge, actor=user, now=clock.now())
    except merging.CannotMerge as error:
        messages.error(request, str(error))
        return redirect("customers:customer", merge.survivor_id)
    url = reverse("customers:customer", args=[restored.pk])
    messages.success(request, _("They are two people again: this one and customer %(id)d.") % {"id": restored.pk})
    return redirect(
        reverse("customers:customer", args=[merge.survivor_id]) if merge.survivor_id != restored.pk else url
    )
