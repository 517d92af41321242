"""Addresses of channels."""

from django.urls import path

from .views import public

app_name = "channels"

urlpatterns = [
    path("t/c/<str:token>", public.click, name="click"),
    path("t/o/<str:token>.gif", public.opened, name="open"),
    path("hooks/<uuid:public_id>/", public.hook, name="hook"),
]
