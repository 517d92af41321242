import contextlib
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "apps.core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Every process that shows words compiles stale catalogues first; a read-only image brings them compiled."""
        from apps.core import arrays
        from apps.core.translations import compile_stale

        arrays.register()
        with contextlib.suppress(PermissionError):
            compile_stale(settings.LOCALE_PATHS)
        post_migrate.connect(create_cache_table, sender=self)


def create_cache_table(**_: Any) -> None:
    """Where the database is the cache (RabbitMQ without CACHE_URL), migrating also makes its table."""
    if settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache"):
        from django.core.management import call_command

        call_command("createcachetable", verbosity=0)
