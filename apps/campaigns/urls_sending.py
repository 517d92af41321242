"""Runs, stops and calls."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
