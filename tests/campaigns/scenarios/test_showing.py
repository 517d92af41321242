"""The page of a what-if: the calendar as it would be, also where the changes bring conflicts that the plan does not have."""

from datetime import timedelta

import pytest

from apps.campaigns.models import Conflict
from tests.campaigns.conflicts.conftest import count, planned

from .conftest import move, what_if

pytestmark = pytest.mark.django_db


def test_a_what_if_that_brings_a_new_conflict_can_still_be_opened(client, scene):
    far = planned(scene.online.department, range(100), offer=scene.online_message.offer, days=30, name="Far away", status="draft")
    count()
    assert not Conflict.objects.filter(first_campaign=far).exists() and not Conflict.objects.filter(second_campaign=far).exists()
    scenario = what_if(scene.online_lead)
    move(scene.online_lead, scenario, far, (scene.retail.starts_on - far.starts_on + timedelta(days=1)).days)
    client.force_login(scene.online_lead)
    page = client.get(f"/calendar/what-if/{scenario.pk}/")
    assert page.status_code == 200
    words = page.content.decode()
    assert 'href="#what-if-changes"' in words.split('<ul class="agenda">')[1]
    assert f'href="/calendar/what-if/{scenario.pk}/move/{far.pk}/"' in words.split('<ul class="agenda">')[1]
