"""The root of all addresses: each app brings its own urls.py with its own prefixes."""

from importlib.util import find_spec

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import JavaScriptCatalog

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("jsi18n/", JavaScriptCatalog.as_view(), name="javascript-catalog"),
]
urlpatterns += [
    path("", include(f"apps.{name}.urls")) for name in settings.CONCORD_APPS if find_spec(f"apps.{name}.urls")
]
if find_spec("config.api"):
    urlpatterns.append(path("api/v1/", include("config.api")))
