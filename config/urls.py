"""The root of all addresses: each app brings its own urls.py with its own prefixes."""

from importlib.util import find_spec

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import health, style

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("style/", style.style_page, name="style"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
]
urlpatterns += [
    path("", include(f"apps.{name}.urls")) for name in settings.CONCORD_APPS if find_spec(f"apps.{name}.urls")
]
if find_spec("config.api"):
    urlpatterns.append(path("api/v1/", include("config.api")))
