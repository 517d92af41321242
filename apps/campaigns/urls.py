"""Addresses of the plan: one module per part, so that each part can grow on its own."""

from . import urls_conflicts, urls_plan, urls_scenarios, urls_sending

app_name = "campaigns"

urlpatterns = [
    *urls_plan.urlpatterns,
    *urls_conflicts.urlpatterns,
    *urls_scenarios.urlpatterns,
    *urls_sending.urlpatterns,
]
