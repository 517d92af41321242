"""Who is to be served first: buttons on a person's pages, and the recall of a product."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from apps.accounts import access
from apps.core import clock
from apps.core.http import render_page
from apps.customers import care
from apps.customers.models import CareFlag, Customer, Product
from apps.customers.models.care import CareReason


def card(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """What ``customers/care_card.html`` shows: why is sensitive and told only to those who may open people."""
    flags = list(care.open_of(customer, now=clock.now()))
    may = care.may_flag(request.user)
    return {
        "customer": customer, "flags": flags if may else [], "is_open": bool(flags), "may": may,
        "reasons": [choice for choice in CareReason.choices if choice[0] not in {flag.reason for flag in flags}],
        "here": request.get_full_path(),
    }


@access.signed_in
@require_POST
def flag(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Opens or closes one reason, and goes back to where the button stood."""
    user, now = access.current_user(request), clock.now()
    person = get_object_or_404(Customer.objects.living(), pk=customer_id)
    if closing := request.POST.get("close", ""):
        found = get_object_or_404(care.open_of(person, now=now), pk=int(closing) if closing.isdecimal() else 0)
        care.close_flag(flag=found, actor=user, now=now)
        messages.success(request, _("Closed: promotion may reach this person again."))
    elif request.POST.get("reason") in CareReason.values:
        care.open_flag(customer=person, reason=request.POST["reason"], actor=user, now=now)
        messages.success(request, _("This person is served first: no promotion reaches them until it is closed."))
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect("customers:customer", customer_id)


class RecallForm(forms.Form):
    """Since when the product was sold that is called back."""

    since = forms.DateField(
        label=gettext_lazy("Bought on this day or later"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )


@access.signed_in
def recall(request: HttpRequest, product_id: int) -> HttpResponse:
    """Says how many people a recall touches; begins or ends it."""
    user, now = access.current_user(request), clock.now()
    access.require(care.may_recall(user), _("Only colleagues who handle personal data and administrators call products back."))
    product = get_object_or_404(Product, pk=product_id)
    form = RecallForm(request.POST or request.GET or None)
    people = None
    if request.method == "POST" and "end" in request.POST:
        closed = care.end_recall(product=product, actor=user, now=now)
        words = ngettext("The recall is over for %(n)d person.", "The recall is over for %(n)d people.", closed)
        messages.success(request, words % {"n": closed})
        return redirect("customers:recall", product_id)
    if form.is_valid():
        if request.method == "POST":
            made = care.recall(product=product, since=form.cleaned_data["since"], actor=user, now=now)
            messages.success(
                request, ngettext("%(n)d person is served first now.", "%(n)d people are served first now.", made) % {"n": made}
            )
            return redirect("customers:recall", product_id)
        people = len(care.bought(product, form.cleaned_data["since"]))
    running = CareFlag.objects.filter(source=care.recall_source(product), closed_at=None).count()
    context = {"product": product, "form": form, "people": people, "running": running}
    return render_page(request, "customers/recall.html", context)
