"""The number beside the calendar in the main navigation."""

from django.http import HttpRequest

from ..models import Conflict
from ..models.conflicts import Severity
from .passes import UNDECIDED


def open_conflicts(request: HttpRequest) -> int:
    """Undecided conflicts of weight, in all departments: everybody sees the same calendar."""
    return Conflict.objects.filter(state__in=UNDECIDED, severity__gte=Severity.MEDIUM).count()
