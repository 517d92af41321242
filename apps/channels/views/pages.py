"""Pages about accounts: how they are doing, and how they are set up."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access, audit
from apps.channels import administration, health, registry
from apps.channels.adapters.base import Adapter
from apps.channels.forms import AccountForm
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.http import render_page


def _accounts() -> QuerySet[ChannelAccount]:
    return ChannelAccount.objects.select_related("department").order_by("channel", "is_elsewhere", "name")


@access.signed_in
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """All accounts and how they are doing."""
    all_health = health.of_all(_accounts(), now=clock.now())
    accepted, bounced = sum(h.accepted for h in all_health), sum(h.bounced for h in all_health)
    tried = accepted + sum(h.rejected for h in all_health)
    context = {
        "accounts": all_health,
        "accepted": accepted,
        "bounced": bounced,
        "bounce_share": bounced / tried if tried else None,
        "unsure": sum(h.unknown for h in all_health),
        "opt_outs": sum(h.events.get("unsubscribed", 0) for h in all_health),
        "may_administer": access.is_administrator(request.user),
    }
    return render_page(request, "channels/overview.html", context)


@access.signed_in
@require_safe
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: its health, who speaks through it, what it costs."""
    found = get_object_or_404(_accounts(), pk=pk)
    return _account_page(request, found, None)


def _account_page(
    request: HttpRequest, found: ChannelAccount, form: AccountForm | None, status: int = 200
) -> HttpResponse:
    may = access.is_administrator(request.user) and bool(found.adapter)
    (state,) = health.of_all([found], now=clock.now())
    context: dict[str, Any] = {
        "account": found,
        "health": state,
        "form": (form or AccountForm(instance=found)) if may else None,
        "provider": registry.adapter_class(found.adapter).name if found.adapter else "",
        "history": audit.history(found)[:10],
        "webhook": _webhook(found) if may else "",
    }
    return render_page(request, "channels/account.html", context, status=status)


def _webhook(found: ChannelAccount) -> str:
    listens = registry.adapter_class(found.adapter).parse_events is not Adapter.parse_events
    return registry.config_of(found).public_url if listens else ""


@access.role("administrator")
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Saves an account's form."""
    found = get_object_or_404(_accounts().exclude(adapter=""), pk=pk)
    form = AccountForm(request.POST, instance=found)
    if not form.is_valid():
        return _account_page(request, get_object_or_404(_accounts(), pk=pk), form, status=422)
    _save(request, ChannelAccount.objects.get(pk=pk), form)
    messages.success(request, _("Saved."))
    return redirect("channels:account", pk=pk)


def _save(request: HttpRequest, target: ChannelAccount, form: AccountForm) -> ChannelAccount:
    return administration.save_account(
        account=target,
        values=form.values,
        options=form.options,
        credentials=form.credentials,
        actor=request.user,  # type: ignore[arg-type]
        now=clock.now(),
    )


def _providers() -> list[dict[str, Any]]:
    # a template would call a class; it gets what it shows
    return [{"code": p.code, "name": p.name, "channel": p.channel, "sandbox": p.sandbox} for p in registry.ADAPTERS]


@access.role("administrator")
def new(request: HttpRequest, code: str = "") -> HttpResponse:
    """Chooses a provider, then sets up an account with it."""
    if not code:
        return render_page(request, "channels/new.html", {"providers": _providers()})
    try:
        provider = registry.adapter_class(code)
    except registry.UnknownAdapter:
        raise Http404 from None
    blank = ChannelAccount(adapter=code, channel=provider.channel, created_at=clock.now())
    form = AccountForm(request.POST or None, instance=blank)
    if request.method == "POST" and form.is_valid():
        made = _save(request, ChannelAccount(adapter=code, channel=provider.channel), form)
        messages.success(request, _("The account is set up. Test its connection before it is used."))
        return redirect("channels:account", pk=made.pk)
    return render_page(request, "channels/new_account.html", {"form": form}, status=422 if form.errors else 200)


@access.role("administrator")
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Tests the connection and says how it went."""
    found = get_object_or_404(_accounts().exclude(adapter=""), pk=pk)
    fine, words = administration.test_connection(account=found, actor=request.user, now=clock.now())  # type: ignore[arg-type]
    if fine:
        messages.success(request, words)
    else:
        messages.error(request, _("The test failed: %(problem)s") % {"problem": words})
    return redirect("channels:account", pk=pk)
