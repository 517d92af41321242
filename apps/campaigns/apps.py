from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "apps.campaigns"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from apps.core import navigation
        from apps.customers import panels
        from apps.customers.imports import undo
        from apps.customers.segments import criteria

        from . import customer_panels, retention
        from .conflicts.badge import open_conflicts
        from .contacted import contacted
        from .criteria import MessageCriterion

        navigation.register_badge("campaigns:calendar", open_conflicts)
        panels.register("messages", customer_panels.messages_panel)
        panels.register("upcoming", customer_panels.upcoming_panel)
        panels.register("pressure", customer_panels.pressure_panel)
        panels.register_timeline(customer_panels.timeline)
        undo.register_keeper(contacted)
        criteria.register(MessageCriterion())
        retention.register()
