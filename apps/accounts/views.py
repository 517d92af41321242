"""A colleague's own pages: notifications, profile, and what happened to a thing."""

from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from apps.accounts import access, audit, notifications
from apps.accounts.forms import ProfileForm
from apps.accounts.models import Notification, User
from apps.core import clock
from apps.core.http import render_page

PAGE = 30


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
    form = ProfileForm(request.POST or None, instance=access.current_user(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your profile is saved."))
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form})


@access.signed_in
@require_safe
def history(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """The audit trail of one thing (`campaigns.campaign`, its id). Ids and codes only, so for every colleague."""
    try:
        subject = apps.get_model(kind)._default_manager.get(pk=key)
    except (LookupError, ValueError, ObjectDoesNotExist) as error:
        raise Http404(_("Nothing is known about this.")) from error
    page = Paginator(audit.history(subject), PAGE).get_page(request.GET.get("page"))
    return render_page(request, "accounts/history.html", {"subject": subject, "page": page}, partial="lines")


@access.public("visitors without a login choose their language too; it changes nothing but the words")
@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Keeps the language in the browser and, for a colleague, in the profile; goes back to where one was."""
    chosen = request.POST.get("language", "")
    if isinstance(request.user, User) and chosen in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    return set_language(request)
