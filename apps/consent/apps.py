from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    name = "apps.consent"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Consent")

    def ready(self) -> None:
        from apps.channels import personal_data as of_channels
        from apps.channels.signals import provider_event
        from apps.customers import panels, personal_data
        from apps.customers.imports import columns
        from apps.customers.segments import criteria

        from . import erasure, news, panel, retention
        from .criteria import ConsentCriterion
        from .importing import ConsentColumns
        from .purposes import ensure_defaults

        provider_event.connect(news.heard, dispatch_uid="consent.news")
        columns.register(ConsentColumns())
        criteria.register(ConsentCriterion())
        # channels and customers do not know each other: the two are brought together here
        personal_data.register_exporter("channels", of_channels.export)
        personal_data.register_eraser("channels", of_channels.erase)
        personal_data.register_exporter("consent", erasure.export)
        personal_data.register_eraser("consent", erasure.erase, erasure.tell)
        panels.register("consent", panel.consent_panel)
        retention.register()
        post_migrate.connect(ensure_defaults, sender=self, dispatch_uid="consent.purposes")
