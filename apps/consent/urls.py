"""Addresses of consent."""

from django.urls import path

from .views import public

app_name = "consent"

urlpatterns = [
    path("p/confirm/<str:token>/", public.confirm, name="confirm"),
    path("p/<str:token>/", public.preferences, name="preferences"),
    path("u/<str:token>/", public.unsubscribe, name="unsubscribe"),
]
