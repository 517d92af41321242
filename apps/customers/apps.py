from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "apps.customers"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Customers")

    def ready(self) -> None:
        """Registers customers' own criteria and checks."""
        from apps.core import navigation

        from . import (
            checks,  # noqa: F401
            data_requests,
            retention,
        )
        from .imports import care, columns
        from .segments import criteria, interaction_criteria, people_criteria

        retention.register()
        navigation.register_badge("customers:data_requests", data_requests.open_for)
        for criterion in (
            people_criteria.AttributeCriterion(),
            interaction_criteria.InteractionCriterion(),
            people_criteria.SegmentCriterion(),
            people_criteria.AddressCriterion(),
            people_criteria.SourceCriterion(),
            people_criteria.EveryoneCriterion(),
        ):
            criteria.register(criterion)
        columns.register(care.CareColumns())
