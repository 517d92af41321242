import contextlib

from django.apps import AppConfig
from django.conf import settings


class CoreConfig(AppConfig):
    name = "apps.core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Every process that shows words compiles stale catalogues first; a read-only image brings them compiled."""
        from apps.core.translations import compile_stale

        with contextlib.suppress(PermissionError):
            compile_stale(settings.LOCALE_PATHS)
