"""One person's data: asked for, taken out, or erased. For the privacy role."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts import access
from apps.accounts.masking import mask_name
from apps.core import clock
from apps.core.http import render_page
from apps.customers import data_requests, erasure
from apps.customers.models import Customer, DataRequest

RECENT = 30


@access.signed_in
@require_POST
def export(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Everything that Concord holds of one person, as a JSON file."""
    user = access.current_user(request)
    access.require(access.can_export_people(user), _("Only colleagues who handle personal data can take it out."))
    customer = get_object_or_404(Customer.objects.living(), pk=customer_id)
    data = erasure.export(customer=customer, actor=user, now=clock.now())
    response = JsonResponse(data, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="customer-{customer.pk}.json"'
    return response


@access.signed_in
def erase(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Says exactly what will happen, then does it when the number is typed."""
    user = access.current_user(request)
    access.require(access.can_export_people(user), _("Only colleagues who handle personal data can erase it."))
    customer = get_object_or_404(Customer.objects.living(), pk=customer_id)
    if request.method == "POST":
        if request.POST.get("confirm", "").strip() == str(customer.pk):
            erasure.erase(customer=customer, actor=user, now=clock.now())
            messages.success(request, _("Everything about customer %(id)d is erased.") % {"id": customer.pk})
            return redirect("customers:list")
        messages.error(request, _("The number does not match. Nothing was erased."))
    context = {"customer": customer, "holdings": erasure.tell(customer)}
    return render_page(request, "customers/erase.html", context)


@access.signed_in
def requests(request: HttpRequest) -> HttpResponse:
    """Who asked what is held of them, the most urgent first, and what was answered lately."""
    user, now = access.current_user(request), clock.now()
    access.require(access.can_export_people(user), _("Only colleagues who handle personal data answer these."))
    every = DataRequest.objects.select_related("customer", "answered_by")
    named = [(one, mask_name(user, one.customer.name)) for one in every.filter(answered_at=None)]
    done = [(one, mask_name(user, one.customer.name)) for one in every.exclude(answered_at=None).order_by("-answered_at")[:RECENT]]
    context = {"waiting": named, "done": done, "today": clock.company_day(now)}
    return render_page(request, "customers/data_requests.html", context)


@access.signed_in
@require_POST
def answer(request: HttpRequest, request_id: int) -> HttpResponse:
    """Notes that the person has their answer."""
    asked = get_object_or_404(DataRequest, pk=request_id)
    try:
        data_requests.answer(
            request=asked, actor=access.current_user(request), note=request.POST.get("note", ""), now=clock.now()
        )
        messages.success(request, _("Noted as answered."))
    except data_requests.NotOpen:
        messages.info(request, _("It was answered already."))
    return redirect("customers:data_requests")
