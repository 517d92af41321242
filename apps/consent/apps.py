from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConsentConfig(AppConfig):
    name = "apps.consent"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.channels.signals import provider_event

        from . import news
        from .purposes import ensure_defaults

        provider_event.connect(news.heard, dispatch_uid="consent.news")
        post_migrate.connect(ensure_defaults, sender=self, dispatch_uid="consent.purposes")
