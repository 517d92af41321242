from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsConfig(AppConfig):
    name = "apps.channels"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Channels")

    def ready(self) -> None:
        from . import retention

        retention.register()
