"""The narrow page of store staff: find a customer, see wishes and offers, write down a visit or a purchase."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import access, audit
from apps.core import clock
from apps.core.fields import code_of
from apps.core.http import render_page
from apps.core.money import currency_code
from apps.customers import directory, panels, recording, timeline
from apps.customers.models import Customer, Product
from apps.customers.models.people import InteractionKind

from . import care, showing

_ROLES = ("agent", "lead", "administrator")


class PurchaseForm(forms.Form):
    """What was bought, or nothing for a visit."""

    product = forms.CharField(label=gettext_lazy("Article number"), required=False, max_length=60)
    value = forms.DecimalField(
        label=gettext_lazy("Amount"), required=False, min_value=0, max_digits=12, decimal_places=2
    )
    currency = forms.CharField(label=gettext_lazy("Currency"), required=False, max_length=3)
    receipt = forms.CharField(label=gettext_lazy("Receipt number"), required=False, max_length=60)
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def clean_product(self) -> Product | None:
        sku = self.cleaned_data["product"].strip()
        found = Product.objects.filter(sku__iexact=sku).first() if sku else None
        if sku and found is None:
            raise forms.ValidationError(_("There is no article with this number."))
        return found

    def clean_currency(self) -> str:
        return code_of(currency_code, self, "currency")


@access.role(*_ROLES)
def find(request: HttpRequest) -> HttpResponse:
    """Find a customer by name, e-mail, phone or card number."""
    user, words = access.current_user(request), request.GET.get("q", "").strip()
    people = showing.lines(user, directory.search(words, limit=8).people) if words else []
    if people:
        audit.opened_people(actor=user, subject=Customer(), count=len(people), where="counter", now=clock.now())
    return render_page(request, "customers/counter.html", {"q": words, "people": people}, "people")


@access.role(*_ROLES)
def customer(request: HttpRequest, customer_id: int) -> HttpResponse:
    """One customer at the counter; a post writes down a visit or a purchase."""
    user, now = access.current_user(request), clock.now()
    person = get_object_or_404(Customer.objects.living(), pk=customer_id)
    form = PurchaseForm(request.POST or None, initial=_initial(person) | {"product": request.GET.get("product", "")})
    if request.method == "POST" and form.is_valid():
        return _record(request, person, form)
    audit.opened_people(actor=user, subject=person, count=1, where="counter", now=now)
    wishes = timeline.wishes(person)
    context = {
        "customer": person,
        "line": showing.lines(user, [person])[0],
        "wishes": wishes,
        "panels": [one for slot in panels.COUNTER_SLOTS for one in panels.panels(slot, request, person, now)],
        "last": timeline.page(person, now=now, limit=5).entries,
        "form": form,
        "care": care.card(request, person),
    }
    return render_page(request, "customers/counter_customer.html", context)


def _initial(person: Customer) -> dict[str, str]:
    last = person.interactions.exclude(currency="").order_by("-at").first()
    return {"key": get_random_string(24), "currency": last.currency if last else ""}


def _record(request: HttpRequest, person: Customer, form: PurchaseForm) -> HttpResponse:
    now, data = clock.now(), form.cleaned_data
    visit = request.POST.get("do") == "visit"
    if not visit and data["value"] is None:
        messages.error(request, _("A purchase needs an amount."))
        return redirect("customers:counter_customer", person.pk)
    try:
        recording.record(
            customer=person, kind=InteractionKind.STORE_VISIT if visit else InteractionKind.PURCHASE, channel="store",
            at=now, actor=access.current_user(request), now=now, product=None if visit else data["product"],
            value=None if visit else data["value"], currency="" if visit else data["currency"],
            detail={"receipt": data["receipt"]} if data["receipt"] else {}, key=data["key"],
        )  # fmt: skip
        messages.success(request, _("The visit is written down.") if visit else _("The purchase is written down."))
    except recording.CannotRecord as error:
        messages.error(request, str(error))
    return redirect("customers:counter_customer", person.pk)
