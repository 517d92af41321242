"""Messages as their readers see them: the preview frame, the page behind "read in the browser", the logo."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import escape
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from apps.accounts import access
from apps.core import clock
from apps.core.tokens import BadToken
from apps.customers.models import Customer

from ..content import addresses, facts, liquid, rendering, trial
from ..models import Brand, ContentVersion
from . import frame

# A mail is foreign matter: no script, no form, nothing of this site; pictures and its own styles only.
POLICY = "default-src 'none'; img-src 'self' https: http: data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "


def _sealed(body: str, *, embedded: bool) -> HttpResponse:
    response = HttpResponse(body)
    ancestors = "'self'" if embedded else "'none'"
    sandbox = "; sandbox allow-popups allow-popups-to-escape-sandbox" if embedded else ""
    response["Content-Security-Policy"] = f"{POLICY}frame-ancestors {ancestors}{sandbox}"
    response["Referrer-Policy"] = "no-referrer"
    return response


@access.signed_in
@require_GET
@xframe_options_sameorigin
def preview_frame(request: HttpRequest, pk: int, message_pk: int, version_pk: int) -> HttpResponse:
    """The HTML of a version as one customer would get it, for a sandboxed frame."""
    version = get_object_or_404(ContentVersion, pk=version_pk, message_id=message_pk)
    shown = version.message = frame.load_message(pk, message_pk)
    person = trial.person_for(shown, version, request.GET.get("person", ""))
    try:
        seen = trial.preview(access.current_user(request), shown, version, person, now=clock.now())
    except liquid.TemplateProblem as problem:
        return _sealed(f"<p>{escape(problem)}</p>", embedded=True)
    return _sealed(seen.html or f"<pre>{escape(seen.text)}</pre>", embedded=True)


@access.public("The reader of a message opens it by the personal address in it.")
@require_GET
def browser(request: HttpRequest, token: str) -> HttpResponse:
    """One person's message, for mail programs that spoil it."""
    try:
        version_id, run_id, customer_id = addresses.read_browser_token(token)
    except (BadToken, ValueError) as error:
        raise Http404 from error
    version = get_object_or_404(
        ContentVersion.objects.select_related("message__campaign", "message__offer__product"), pk=version_id
    )
    now = clock.now()
    person = get_object_or_404(Customer.objects.living(), pk=customer_id)
    brand = Brand.objects.filter(department=version.message.campaign.department_id).first()
    where = addresses.Addresses(run_id, customer_id, version_id, measured=False, channel=version.message.channel)
    try:
        seen = rendering.compile(version, brand, now=now).preview(
            facts.Merge(version.message, now=now).for_person(person), where
        )
    except liquid.TemplateProblem:
        return render(request, "campaigns/unreadable.html", status=410)
    return _sealed(seen.html or f"<pre>{escape(seen.text)}</pre>", embedded=False)


@access.public("Mail programs of customers fetch the sender's logo.")
@require_GET
@cache_control(public=True, max_age=3600)
def logo(request: HttpRequest, pk: int) -> HttpResponse:
    """A department's logo."""
    brand = get_object_or_404(Brand, department_id=pk)
    if not brand.logo:
        raise Http404
    response = HttpResponse(bytes(brand.logo), content_type=brand.logo_type or "image/png")
    response["X-Content-Type-Options"] = "nosniff"
    return response
