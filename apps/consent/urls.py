"""Addresses of consent."""

from django.urls import path

from .views import pages, public

app_name = "consent"

urlpatterns = [
    path("consent/", pages.consent_page, name="overview"),
    path("consent/people", pages.people, name="people"),
    path("consent/list/", pages.add_to_list, name="add_to_list"),
    path("consent/list/<int:pk>/lift", pages.lift, name="lift"),
    path("consent/wish/<int:customer_id>/", pages.wish, name="wish"),
    path("p/confirm/<str:token>/", public.confirm, name="confirm"),
    path("p/<str:token>/data/", public.ask_for_data, name="ask_for_data"),
    path("p/<str:token>/", public.preferences, name="preferences"),
    path("u/<str:token>/", public.unsubscribe, name="unsubscribe"),
]
