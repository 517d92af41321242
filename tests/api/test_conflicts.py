"""Conflicts by the API: found by filters, proposed, signed and remarked on by tokens that may."""


import pytest

from apps.accounts import api_tokens
from apps.accounts.models import AuditEvent
from apps.campaigns.models import Conflict, ConflictComment, Message, Resolution
from apps.core import clock
from tests.campaigns.conflicts.conftest import scene  # noqa: F401
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import NOW

pytestmark = pytest.mark.django_db
EVERYTHING = ["campaigns.read", "conflicts.propose", "conflicts.sign", "conflicts.comment"]


@pytest.fixture
def ahead(scene, monkeypatch):  # noqa: F811
    """The scene at its own moment: programs ask by the clock."""
    monkeypatch.setattr("apps.campaigns.api_conflicts.now", lambda: NOW)
    return scene


@pytest.fixture
def call(client, ahead):
    def called(path, data=None, *, department, actions=EVERYTHING, maker=None, **headers):
        by = maker or UserFactory(role="administrator")
        secret = api_tokens.issue(name="board", actions=list(actions), department=department, by=by, now=clock.now())[1]
        headers = {"authorization": f"Bearer {secret}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if data is None:
            return client.get(f"/api/v1/conflicts/{path}", headers=headers)
        return client.post(f"/api/v1/conflicts/{path}", data, "application/json", headers=headers)

    return called


def test_filters_narrow_and_nonsense_is_refused_in_words(call, ahead):
    Conflict.objects.filter(rule="overlap").update(state="accepted", severity=2)
    department = ahead.retail.department
    wanted = {
        "state=open": {"state": "open"}, "state=open,accepted": {"state__in": ["open", "accepted"]}, "rule=offers": {"rule": "offers"},
        "severity=high": {"severity__gte": 3}, f"campaign={ahead.online.pk}": {"second_campaign": ahead.online.pk},
        "department=retail": {}, "department=nobody": {"pk": 0}, "campaign=0": {"pk": 0},
    }
    for query, rows in wanted.items():
        told = {row["id"] for row in call(f"?{query}", department=department).json()["results"]}
        both = Conflict.objects.filter(**rows) | Conflict.objects.filter(first_campaign=ahead.online.pk) if query.startswith("campaign=") and rows != {"pk": 0} else Conflict.objects.filter(**rows)
        assert told == set(both.values_list("pk", flat=True)), query
    for query in ("state=lost", "severity=9", "rule=nonsense"):
        assert call(f"?{query}", department=department).status_code == 400


def test_two_departments_tokens_propose_and_sign_and_the_trail_names_them(call, ahead):
    online, retail, pk = ahead.online.department, ahead.retail.department, ahead.conflict.pk
    ways = call(f"{pk}/ways/", department=online).json()
    way = next(row["way"] for row in ways if row["way"] == f"leave_out:{ahead.online.pk}")
    made = call(f"{pk}/propose/", {"way": way}, department=online)
    assert (made.status_code, made.json()["missing"], made.json()["state"]) == (201, ["online", "retail"], "proposed")
    answer = {"resolution": made.json()["id"], "agrees": True}
    first = call(f"{pk}/sign/", answer, department=online)
    assert (first.status_code, first.json()["missing"]) == (200, ["retail"])
    last = call(f"{pk}/sign/", answer, department=retail)
    assert (last.json()["state"], ahead.conflict.state) == ("applied", "resolved")
    assert all("api_token" in line.after for line in AuditEvent.objects.filter(action="resolution.signed"))
    assert [row["state"] for row in call(f"{pk}/resolutions/", department=retail).json()] == ["applied"]


def test_one_maker_never_signs_for_both_nor_an_own_proposal(call, ahead):
    maker, pk = UserFactory(role="administrator"), ahead.conflict.pk
    online, retail = ahead.online.department, ahead.retail.department
    way = {"way": f"leave_out:{ahead.online.pk}"}
    own = call(f"{pk}/propose/", way, department=online, maker=maker).json()["id"]
    assert call(f"{pk}/sign/", {"resolution": own, "agrees": True}, department=retail, maker=maker).status_code == 403
    other = call(f"{pk}/propose/", way, department=online).json()["id"]
    assert call(f"{pk}/sign/", {"resolution": other, "agrees": True}, department=retail, maker=maker).status_code == 200
    assert call(f"{pk}/sign/", {"resolution": other, "agrees": True}, department=online, maker=maker).status_code == 403
    assert not Resolution.objects.filter(state="applied").exists()


def test_a_token_does_only_what_it_was_given(call, ahead):
    pk, department = ahead.conflict.pk, ahead.online.department
    for path, data in (("propose", {"way": "accept"}), ("sign", {"resolution": 1, "agrees": True}), ("comment", {"text": "x"})):
        assert call(f"{pk}/{path}/", data, department=department, actions=["campaigns.read"]).status_code == 403
        others = [each for each in EVERYTHING if each != f"conflicts.{path}"]
        assert call(f"{pk}/{path}/", data, department=department, actions=others).status_code == 403
    assert call(f"{pk}/propose/", {"way": "accept"}, department=None).status_code == 403


def test_what_does_not_fit_is_said_in_words(call, ahead):
    pk, department = ahead.conflict.pk, ahead.online.department
    assert call(f"{pk}/propose/", {"way": "accept"}, department=department).status_code == 400
    assert call(f"{pk}/propose/", {"way": "move:1:99999"}, department=department).status_code == 400
    assert call(f"{pk}/sign/", {"resolution": 99, "agrees": True}, department=department).status_code == 400
    Message.objects.filter(campaign=ahead.online).update(plan_audience=None)
    Conflict.objects.update(state="obsolete")
    assert call(f"{pk}/propose/", {"way": f"leave_out:{ahead.online.pk}"}, department=department).status_code == 409
    assert call(f"{pk}/ways/", department=department).json() == []


def test_a_remark_names_colleagues_and_is_written_once_for_its_key(call, ahead, client):
    kari = UserFactory(name="Kari Nordmann")
    secret = api_tokens.issue(name="b", actions=EVERYTHING, department=ahead.online.department, by=UserFactory(), now=clock.now())[1]
    headers = {"authorization": f"Bearer {secret}", "idempotency-key": "k1"}
    for _turn in range(2):
        answer = client.post(
            f"/api/v1/conflicts/{ahead.conflict.pk}/comment/", {"text": "See @Kari Nordmann"}, "application/json", headers=headers
        )
        assert (answer.status_code, answer.json()["named"]) == (201, [kari.email])
    assert ConflictComment.objects.count() == 1
