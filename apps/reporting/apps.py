from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportingConfig(AppConfig):
    name = "apps.reporting"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from apps.channels.signals import provider_event

        from . import facts, retention

        provider_event.connect(facts.mark_late, dispatch_uid="reporting.late")
        retention.register()
