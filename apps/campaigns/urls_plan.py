"""Campaigns, messages, content, offers, brands, programmes."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
