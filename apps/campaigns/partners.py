"""Who changes a campaign: the department that leads it and, of a joint one, those that plan it together with it.

The leading department approves it, and it goes out in that department's name.
"""

from __future__ import annotations

from typing import Any

from apps.accounts import access

from .models import Campaign


def may_edit(user: Any, campaign: Campaign) -> bool:
    """Whether this person plans for the leading department or one of its partners."""
    if access.can_edit(user, campaign.department_id):
        return True
    own = getattr(user, "department_id", None)
    return own is not None and access.can_edit(user, own) and campaign.partners.filter(pk=own).exists()
