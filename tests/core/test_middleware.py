"""What no page could answer is refused in words, never with a broken page."""

import pytest

from tests.factories.accounts import UserFactory
from tests.factories.customers import person

pytestmark = pytest.mark.django_db

NUL = ["/calendar/?department=%00", "/conflicts/?rule=%00", "/customers/?q=%00", "/campaigns/?q=a%00b", "/products/?q=%00",
       "/audiences/?q=%00", "/reports/people/?variant=%00", "/history/sessions.session/%00/"]  # fmt: skip
ENDLESS = ["/reports/?days=", "/calendar/?weeks=", "/customers/?q="]
ODD = ["/reports/?first=0001-01-01&last=0001-01-02", "/reports/attribution/?first=0001-01-01&last=0001-01-02",
       "/reports/people/?first=9999-12-31&last=9999-12-31", "/audiences/?q=²", "/customers/?q=%23²", "/customers/?after=²:x"]  # fmt: skip
NOWHERE = ["/calendar/pressure/0001-01-01/", "/calendar/pressure/9999-12-31/"]


@pytest.fixture
def colleague(client):
    client.force_login(UserFactory(role="lead"))
    return client


@pytest.mark.parametrize("address", [*NUL, *(each + "9" * 5000 for each in ENDLESS)])
def test_an_address_that_cannot_be_read_is_refused_in_words(colleague, address):
    answer = colleague.get(address)
    assert answer.status_code == 400
    assert "could not understand" in answer.content.decode()


def test_a_nul_in_a_form_that_a_page_reads_by_itself_is_refused_too(colleague):
    answer = colleague.post("/audiences/list/", {"name": "a\0", "lines": f"#{person().pk}"})
    assert answer.status_code == 400


@pytest.mark.parametrize("address", ODD)
def test_odd_days_and_digits_in_an_address_fall_back_to_the_usual(colleague, address):
    assert colleague.get(address).status_code == 200


@pytest.mark.parametrize("address", NOWHERE)
def test_days_at_the_ends_of_time_are_not_found(colleague, address):
    assert colleague.get(address).status_code == 404
