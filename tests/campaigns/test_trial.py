"""A test message really leaves, over the account, to its author."""

import pytest

from apps.campaigns.content import trial
from apps.campaigns.models import Message
from apps.channels.counterparts import inbox
from apps.channels.counterparts.process import running
from tests.factories import campaigns as make
from tests.factories.customers import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    message = make.MessageFactory(account=make.MailAccountFactory(name="Sandbox", adapter="sandbox_email"))
    make.BrandFactory(department=message.campaign.department, logo=None)
    return make.ContentVersionFactory(message=message)


def try_out(version, **changes):
    given = {"actor": version.message.campaign.owner, "message": version.message, "version": version, "person": person(given_name="Åse")}
    return trial.send(**given | changes, now=make.NOW)


def test_a_test_is_handed_over_to_the_authors_own_address(version, settings, tmp_path):
    settings.SANDBOX_DIR = tmp_path / "sandbox"
    with running(settings.SANDBOX_DIR):
        assert try_out(version) == version.message.campaign.owner.email
    got = inbox.messages("email").messages
    assert [each.address for each in got] == [version.message.campaign.owner.email]


def test_a_provider_that_is_not_there_is_said_in_words(version):
    with pytest.raises(trial.NotSent, match="did not take it"):
        try_out(version)


def test_a_message_without_an_account_cannot_be_tried(version):
    Message.objects.update(account=None)
    version.message.refresh_from_db()
    with pytest.raises(trial.NotSent, match="account"):
        try_out(version)


def test_names_are_masked_for_those_who_may_not_open_people(version):
    user = version.message.campaign.owner
    known = trial.facts_of(user, version.message, person(given_name="Kari"), now=make.NOW)
    assert known["customer"]["given_name"] == "K…"
