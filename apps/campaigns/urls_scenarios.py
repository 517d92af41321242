"""What-ifs and re-planning."""

from django.urls import path

from .views import proposed, replan, scenarios

_ONE = "calendar/what-if/<int:pk>/"

urlpatterns = [
    path("calendar/what-if/", scenarios.listing, name="what-ifs"),
    path("calendar/what-if/new/", scenarios.create, name="what-if-new"),
    path("calendar/proposed/", proposed.listing, name="proposed-changes"),
    path("calendar/proposed/<int:pk>/", proposed.page, name="proposed-change"),
    path("calendar/what-if/re-plan/", replan.ask, name="replan"),
    path(_ONE, scenarios.page, name="what-if"),
    path(f"{_ONE}move/<int:campaign_pk>/", scenarios.move, name="what-if-move"),
    path(f"{_ONE}change/<int:campaign_pk>/", scenarios.change, name="what-if-change"),
    path(f"{_ONE}take-back/<int:change_pk>/", scenarios.take_back, name="what-if-take-back"),
    path(f"{_ONE}answer/<int:change_pk>/", scenarios.answer, name="what-if-answer"),
    path(f"{_ONE}count/", scenarios.tick, name="what-if-count"),
    path(f"{_ONE}apply/", scenarios.apply, name="what-if-apply"),
    path(f"{_ONE}discard/", scenarios.discard, name="what-if-discard"),
    path(f"{_ONE}progress/", replan.progress, name="replan-progress"),
    path(f"{_ONE}stop/", replan.stop, name="replan-stop"),
]
