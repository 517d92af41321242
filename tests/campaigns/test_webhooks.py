"""Other programs are told of conflicts: against a real server on the loopback, signed, repeated, given up, sent again."""

import hashlib
import hmac
import itertools
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from apps.campaigns import webhooks
from apps.campaigns.conflicts import agree
from apps.campaigns.models import Conflict, Message, WebhookCall, WebhookEndpoint
from apps.core import clock, crypto
from tests.campaigns.conflicts.conftest import count, planned, scene  # noqa: F401
from tests.factories.accounts import DepartmentFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
SECRET = "whsec_test"


class Receiver(HTTPServer):
    """Keeps what it is handed and answers with the next of `answers`."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.got, self.answers = [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook?a=1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def receiver():
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def inside(settings):
    """As in development or the demo: addresses of this machine may be called."""
    settings.DEBUG = True


def endpoint(url, **fields):
    given = {"name": "Board", "url": url, "secret": crypto.encrypt({"secret": SECRET}), "created_at": NOW} | fields
    return WebhookEndpoint.objects.create(**given)


def told(receiver):
    return [json.loads(body) for _path, _headers, body in receiver.got]


def test_a_conflict_is_told_signed_so_that_the_receiver_can_check_it(scene, receiver, inside):  # noqa: F811
    endpoint(receiver.url)
    webhooks.tell(webhooks.OPENED, [scene.conflict], now=NOW)
    assert webhooks.deliver_due(now=NOW) == 1
    path, headers, body = receiver.got[0]
    stamp, signature = (part.partition("=")[2] for part in headers["Concord-Signature"].split(","))
    wanted = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert (path, headers["Concord-Event"], signature) == ("/hook?a=1", "conflict.opened", wanted)
    assert int(stamp) == int(NOW.timestamp())
    news = json.loads(body)["conflict"]
    assert (news["id"], news["rule"], news["people_count"]) == (scene.conflict.pk, "offers", 60)
    assert {side["department"] for side in news["campaigns"]} == {"retail", "online"}
    assert webhooks.deliver_due(now=NOW + timedelta(hours=1)) == 0


def test_each_turn_of_a_conflict_is_told_once(receiver, inside):
    endpoint(receiver.url)
    one, two = planned(DepartmentFactory(), range(100), days=2), planned(DepartmentFactory(), range(50, 150), days=3)
    leads = [UserFactory(role="lead", department=side.department) for side in (one, two)]
    count()
    conflict = Conflict.objects.get(rule="overlap")
    until = (NOW + timedelta(days=1)).date()
    proposal = agree.propose(actor=leads[0], conflict=conflict, way="accept", reason="known", expires_on=until, now=NOW)
    agree.sign(actor=leads[1], resolution=proposal, agrees=True, now=NOW)
    Message.objects.update(plan_computed_at=NOW + timedelta(days=3))
    count(NOW + timedelta(hours=40))
    conflict.refresh_from_db()
    leave = agree.propose(actor=leads[0], conflict=conflict, way=f"leave_out:{one.pk}", now=NOW + timedelta(hours=41))
    agree.sign(actor=leads[1], resolution=leave, agrees=True, now=NOW + timedelta(hours=41))
    events = list(WebhookCall.objects.filter(payload__conflict__id=conflict.pk).order_by("pk").values_list("event", flat=True))
    assert events == ["conflict.opened", "conflict.accepted", "conflict.reopened", "conflict.resolved"]


def test_what_has_gone_is_told_and_only_departments_concerned_hear(scene, inside):  # noqa: F811
    endpoint("http://127.0.0.1:9/", name="Other", department=DepartmentFactory())
    mine = endpoint("http://127.0.0.1:9/", name="Mine", department=scene.retail.department)
    Message.objects.filter(campaign=scene.online).update(plan_audience=None, plan_count=0)
    count()
    assert {(call.endpoint, call.event) for call in WebhookCall.objects.all()} == {(mine, "conflict.gone")}


def test_a_refusal_is_repeated_with_growing_waits_and_given_up_after_a_day(scene, receiver, inside):  # noqa: F811
    endpoint(receiver.url)
    webhooks.tell(webhooks.OPENED, [scene.conflict], now=NOW)
    receiver.answers = [500] * 100
    moments, now = [], NOW
    while (call := WebhookCall.objects.get()).done_at is None and len(moments) < 60:
        now = max(now, call.next_at)
        webhooks.deliver_due(now=now)
        moments.append(now - NOW)
    waits = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(moments)]
    assert waits[:4] == [30, 60, 120, 240] and max(waits) == 7200
    assert timedelta(hours=21) < moments[-1] <= timedelta(hours=24)
    assert (call.status, call.attempts) == (500, len(receiver.got))
    assert len({news["id"] for news in told(receiver)}) == 1


def test_after_a_hiccup_it_is_taken_and_a_redirect_is_not_followed(scene, receiver, inside):  # noqa: F811
    endpoint(receiver.url)
    webhooks.tell(webhooks.OPENED, [scene.conflict], now=NOW)
    receiver.answers = [302, 503]
    assert [webhooks.deliver_due(now=NOW + timedelta(hours=n)) for n in (0, 1, 2, 3)] == [0, 0, 1, 0]
    assert {path for path, _headers, _body in receiver.got} == {"/hook?a=1"}


def test_a_dead_server_is_a_problem_in_words_not_an_error(scene, inside):  # noqa: F811
    endpoint("http://127.0.0.1:9/")
    webhooks.tell(webhooks.OPENED, [scene.conflict], now=NOW)
    webhooks.deliver_due(now=NOW)
    call = WebhookCall.objects.get()
    assert call.status is None and "refused" in call.problem.lower() and call.next_at == NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://127.0.0.1/", "https://10.1.2.3/", "https://169.254.169.254/latest/meta-data/", "https://[::1]/",
        "https://[::ffff:10.0.0.1]/", "https://localhost/", "https://user:pass@example.com/", "ftp://example.com/", "https://0/",
        "https://100.64.0.1/", "https://[fd00::1]/", "https://2130706433/",
    ],
)
def test_in_production_nothing_inside_the_own_network_is_called(url, settings, monkeypatch):
    settings.DEBUG, settings.DEMO = False, False
    with pytest.raises((webhooks.Refused, OSError)):
        webhooks.resolved(url)


def test_a_name_that_also_stands_for_an_inside_address_is_refused_and_the_looked_at_one_is_called(settings, monkeypatch):
    settings.DEBUG, settings.DEMO = False, False
    answers = [[(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", ("10.0.0.1", 443))], [(0, 0, 0, "", ("93.184.216.34", 443))]]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: answers.pop(0))
    with pytest.raises(webhooks.Refused):
        webhooks.resolved("https://hooks.example/")
    assert webhooks.resolved("https://hooks.example/") == "93.184.216.34"


def test_the_administration_makes_tests_and_sends_again(client, receiver, inside):
    client.force_login(UserFactory(role="administrator", is_staff=True, is_superuser=True))
    page = client.post("/admin/campaigns/webhookendpoint/add/", {"name": "Board", "url": receiver.url, "is_active": "on"}, follow=True)
    assert webhooks.PREFIX in page.content.decode()
    made = WebhookEndpoint.objects.get()
    assert webhooks.secret_of(made).encode() not in bytes(made.secret)
    client.post("/admin/campaigns/webhookendpoint/", {"action": "send_test", "_selected_action": [made.pk]})
    call = WebhookCall.objects.get()
    assert (call.event, call.status, call.problem) == ("test", 204, "")
    client.post("/admin/campaigns/webhookcall/", {"action": "redeliver", "_selected_action": [call.pk]})
    assert webhooks.deliver_due(now=clock.now()) == 1
    first, second = told(receiver)
    assert first["id"] == second["id"]
