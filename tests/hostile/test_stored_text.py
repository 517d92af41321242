"""Markup, line ends and formulas stored in every text of a whole company: no page runs them, no header takes them."""

import csv
import io
import re
from collections import deque
from email import message_from_bytes, policy

import pytest
from django.apps import apps
from django.db import models
from django.urls import get_resolver, reverse

from apps.accounts.models import User
from apps.campaigns import feeds
from apps.campaigns.content import trial
from apps.campaigns.models import Brand, Campaign, ContentVersion, Message
from apps.channels import registry
from apps.core import clock
from apps.core.formulas import is_formula
from apps.reporting.demo import load
from tests.browser.test_every_page import addresses, found_at, kind
from tests.factories import campaigns as make
from tests.factories.customers import SegmentFactory, person

RUNS = "<img src=x onerror=alert(1)>"
MARKED = {
    "accounts": ["Department.name", "User.name"],
    "campaigns": ["Campaign.name", "Campaign.brief", "Campaign.goal", "Message.name", "Offer.name", "Offer.code", "Offer.claim",
                  "Offer.terms", "Programme.name", "Programme.key_message", "ConflictComment.text", "Resolution.reason",
                  "Signature.note", "Approval.asked_note", "Approval.decision_note", "ContentVersion.subject", "Brand.company_name",
                  "Brand.postal_address", "Blackout.name", "ContactPolicy.name", "Halt.reason"],
    "channels": ["ChannelAccount.name", "CallTask.note", "InboundMessage.text"],
    "customers": ["Customer.name", "Customer.city", "Category.name", "Product.name", "Segment.name", "Segment.description",
                  "ImportJob.filename", "ImportJob.message", "AttributeDefinition.label", "Source.name"],
    "consent": ["Suppression.note"],
}  # fmt: skip
NOT_PAGES = re.compile(r"logout|/static/|/api/|/accounts/|/inbox/\d+/html|/preview/|language|/feeds/")


def mark_everything():
    """Puts what would run into every text that people write."""
    for app, names in MARKED.items():
        for name in names:
            model, _dot, field = name.partition(".")
            found = apps.get_model(app, model)
            width = getattr(found._meta.get_field(field), "max_length", None) or 500
            value = models.functions.Left(models.functions.Concat(models.Value(RUNS), models.F(field)), width)
            if width >= len(RUNS):
                found.objects.update(**{field: value})


@pytest.mark.django_db(transaction=True)
def test_no_page_of_the_company_runs_what_people_wrote(client, settings):
    settings.DEMO = True
    load.load(customers_wanted=120, seed=1, now=clock.now(), progress=lambda what, done, total: None)
    mark_everything()
    user = User.objects.get(email="online.lead@fjellfjord.example")
    user.is_staff = user.is_superuser = user.handles_personal_data = True
    user.save()
    client.force_login(user)
    waiting, seen, ran, marked = deque(addresses(get_resolver().url_patterns)), {}, [], 0
    while waiting:
        path = waiting.popleft().partition("#")[0].replace("&amp;", "&")
        match = found_at(path) if path.startswith("/") and not NOT_PAGES.search(path) else None
        if match is None or seen.setdefault(kind(match), 0) >= 2:
            continue
        seen[kind(match)] += 1
        answer = client.get(path)
        assert answer.status_code < 500, path
        if answer.streaming or "html" not in answer.get("content-type", ""):
            continue
        page = answer.content.decode()
        ran += [path] if re.search(r"<img src=x", page, re.IGNORECASE) else []
        marked += "&lt;img src=x" in page
        waiting += re.findall(r'href="([^"]+)"', page)
    assert not ran
    assert marked > 25


@pytest.fixture
def message(db):
    made = make.MessageFactory(include=[SegmentFactory()], name="=cmd()\r\nBcc: all@example.com")
    Campaign.objects.update(name="+cmd()\r\nBcc: all@example.com")
    make.BrandFactory(department=made.campaign.department)
    return made


EVIL = "Hi\r\nBcc: all@example.com\r\n\r\n<b>x</b>"


def test_a_test_mail_of_hostile_words_carries_no_foreign_header(message, monkeypatch):
    version = make.ContentVersionFactory(message=message, subject=EVIL[:20] + " {{ customer.given_name }}")
    Brand.objects.update(sender_name="Fjord\r\nBcc: all@example.com")
    posted, kari = [], person(name="Kari\r\nBcc: b@example.com", given_name="Kari\r\nBcc: b@example.com", language="nb")
    adapter = registry.adapter_for(message.account)
    monkeypatch.setattr(type(adapter), "post", lambda self, requests: posted.extend(requests) or [])
    with pytest.raises(trial.NotSent):
        trial.send(actor=message.campaign.owner, message=message, version=version, person=kari, number="", now=make.NOW)
    [request] = posted
    mail = message_from_bytes(request.data, policy=policy.default)
    assert mail["Bcc"] is None
    assert "Bcc" in mail["Subject"]
    assert not mail.defects


def test_hostile_brands_and_subjects_are_answered_in_words_on_every_page(client, message):
    version = make.ContentVersionFactory(message=message, subject=EVIL[:100])
    Brand.objects.update(sender_name="Fjord\r\nBcc: all@example.com", postal_address="{% for i in (1..9999999) %}x{% endfor %}")
    client.force_login(message.campaign.owner)
    pk = message.campaign_id
    for name, args in (("message", [pk, message.pk]), ("check", [pk]), ("approve", [pk]), ("preview-frame", [pk, message.pk, version.pk])):
        assert client.get(reverse(f"campaigns:{name}", args=args)).status_code == 200, name
    assert client.post(reverse("campaigns:test-send", args=[pk, message.pk, version.pk])).status_code == 302


def test_the_calendar_file_takes_no_line_from_a_name(message):
    feed, _secret = feeds.make(user=message.campaign.owner, now=make.NOW)
    text = feeds.written(feed, now=make.NOW).decode()
    assert "Bcc" in text
    assert not re.search(r"^Bcc:", text, re.MULTILINE)


def test_exports_run_no_formula_and_take_no_header(client, message):
    client.force_login(message.campaign.owner)
    for address in (reverse("reporting:overview"), reverse("reporting:attribution"), reverse("reporting:campaign", args=[message.campaign_id])):
        for asked in ("csv", "funnel", "1"):
            answer = client.get(address, {"format": asked, "export": asked})
            assert answer.status_code == 200
            if answer["content-type"].startswith("text/csv"):
                assert "\n" not in answer["content-disposition"]
                rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
                assert not [cell for row in rows for cell in row if is_formula(cell)]


def test_nothing_was_lost_of_what_was_stored(message):
    assert Message.objects.get().name.startswith("=cmd()")
    assert not ContentVersion.objects.exists()
