from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConsentConfig(AppConfig):
    name = "apps.consent"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .purposes import ensure_defaults

        post_migrate.connect(ensure_defaults, sender=self, dispatch_uid="consent.purposes")
