"""A colleague's own pages: notifications, profile, and what happened to a thing."""

from datetime import time
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from apps.accounts import access, audit, deputies, notifications
from apps.accounts.forms import DeputyForm, ProfileForm
from apps.accounts.models import Deputy, Mailing, Notification, Role, User
from apps.core import clock
from apps.core.http import render_page

PAGE = 30
# what everybody sees by name on other pages too
NAMED = {
    "accounts.department", "campaigns.blackout", "campaigns.campaign", "campaigns.contactpolicy", "campaigns.message",
    "campaigns.offer", "campaigns.programme", "channels.channelaccount", "consent.purpose", "customers.category",
    "customers.product", "customers.segment", "customers.source",
}  # fmt: skip


@access.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def notifications_page(request: HttpRequest) -> HttpResponse:
    """All lines, newest first; a POST marks the ones named by `id` as read, or all of them."""
    user = access.current_user(request)
    if request.method == "POST":
        ids = [int(value) for value in request.POST.getlist("id") if value.isdecimal()]
        notifications.mark_read(user=user, ids=ids or None, now=clock.now())
        return redirect("accounts:notifications")
    lines = Notification.objects.filter(user=user)
    page = Paginator(lines, PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/notifications.html", {"page": page, "unread": notifications.unread(user).count()})


@access.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, language, time zone; and the ways to password, second factor and sessions."""
    user = access.current_user(request)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your profile is saved."))
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form, **_deputies(user)})


def _deputies(user: User, form: DeputyForm | None = None) -> dict[str, Any]:
    """A lead's deputies with the form for another; and for whom this person stands in."""
    now = clock.now()
    today = clock.company_day(now)
    mine = Deputy.objects.filter(user=user, ends_on__gte=today).select_related("deputy__department")
    return {
        "deputies": mine, "deputy_form": (form or DeputyForm(user=user, initial={"starts_on": today})) if user.role == Role.LEAD else None,
        "standing_in": deputies.in_force(now=now).filter(deputy=user).select_related("user__department"), "today": today,
    }


@access.role("lead")
@require_http_methods(["GET", "HEAD", "POST"])
def name_deputy(request: HttpRequest) -> HttpResponse:
    """Names a deputy; what is wrong stands at its field."""
    user, now = access.current_user(request), clock.now()
    form = DeputyForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            deputies.name_deputy(actor=user, now=now, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Your deputy is named and told."))
            return redirect("accounts:profile")
    context = {"form": ProfileForm(instance=user), **_deputies(user, form if request.method == "POST" else None)}
    return render(request, "accounts/profile.html", context)


@access.role("lead")
@require_POST
def end_deputy(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends it from today on."""
    user = access.current_user(request)
    deputies.end(actor=user, row=get_object_or_404(Deputy, pk=pk, user=user), now=clock.now())
    messages.success(request, _("Ended. From now on you sign alone."))
    return redirect("accounts:profile")


@access.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def news(request: HttpRequest) -> HttpResponse:
    """How one hears of each kind of news: in the app, by e-mail at once, once a day, or not."""
    user = access.current_user(request)
    if request.method == "POST":
        for kind in notifications.KINDS:
            mailing = request.POST.get(f"{kind}-mail", "")
            if mailing in Mailing.values:
                notifications.choose(user=user, kind=kind, in_app=f"{kind}-app" in request.POST, by_email=mailing)
        messages.success(request, _("Your choice is kept."))
        return redirect("accounts:news")
    rows = [(kind, words, notifications.choice(user, kind)) for kind, (words, _starts) in notifications.KINDS.items()]
    context = {"rows": rows, "mailings": Mailing.choices, "hour": time(settings.DIGEST_HOUR)}
    return render(request, "accounts/news.html", context)


@access.signed_in
@require_safe
def history(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """The audit trail of one thing (`campaigns.campaign`, its id). Ids and codes only, so for every colleague."""
    try:
        subject = apps.get_model(kind)._default_manager.get(pk=key)
    except (LookupError, ValueError, ValidationError, ObjectDoesNotExist) as error:
        raise Http404(_("Nothing is known about this.")) from error
    page = Paginator(audit.history(subject), PAGE).get_page(request.GET.get("page"))
    context = {"subject": _named(subject), "page": page}
    return render_page(request, "accounts/history.html", context, partial="lines")


def _named(subject: Model) -> str:
    """Plans, audiences and the like by their name; whatever may hold a person or a secret by its number only."""
    if subject._meta.label_lower in NAMED:
        return str(subject)
    return f"{subject._meta.verbose_name} {subject.pk}"


@access.public("visitors without a login choose their language too; it changes nothing but the words")
@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Keeps the language in the browser and, for a colleague, in the profile; goes back to where one was."""
    chosen = request.POST.get("language", "")
    if isinstance(request.user, User) and chosen in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    return set_language(request)
