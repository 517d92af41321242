from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "apps.campaigns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core import navigation

        from .conflicts.badge import open_conflicts

        navigation.register_badge("campaigns:calendar", open_conflicts)
