"""The number beside the calendar in the main navigation."""

from django.db.models import Q
from django.http import HttpRequest

from apps.accounts.models import Role

from .. import partners
from ..models import Conflict
from ..models.conflicts import Severity
from .passes import UNDECIDED


def open_conflicts(request: HttpRequest) -> int:
    """What the visitor's department has to decide: pairs of campaigns, and campaigns alone, with something open of weight.

    What is for information only does not count. Administrators, and who is in no department, see the sum of all.
    """
    user = request.user
    found = Conflict.objects.filter(state__in=UNDECIDED, severity__gte=Severity.MEDIUM)
    department = getattr(user, "department_id", None)
    if department and getattr(user, "role", "") != Role.ADMINISTRATOR:
        ours = (partners.of_departments([department], side) for side in ("first_campaign__", "second_campaign__"))
        found = found.filter(Q(*ours, _connector=Q.OR))
    return found.order_by().values("first_campaign", "second_campaign").distinct().count()
