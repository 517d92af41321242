import gettext
import os

import pytest
from django.core.cache import caches
from django.db import connection

from apps.core.apps import create_cache_table
from apps.core.translations import compile_stale

CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "one person"
msgid_plural "%(n)s people"
msgstr[0] "én person"
msgstr[1] "%(n)s personer"

#, fuzzy
msgid "guess"
msgstr "gjetning"
"""


def test_a_catalogue_is_compiled_when_it_is_newer_and_only_then(tmp_path):
    folder = tmp_path / "nb" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(CATALOGUE)
    assert compile_stale([tmp_path]) == [folder / "django.mo"]
    assert compile_stale([tmp_path]) == []
    words = gettext.GNUTranslations((folder / "django.mo").open("rb"))
    assert words.ngettext("one person", "%(n)s people", 2) == "%(n)s personer"
    assert words.gettext("guess") == "guess", "what nobody has checked is not shown"
    os.utime(folder / "django.po", (2**32, 2**32))
    assert compile_stale([tmp_path]) == [folder / "django.mo"]


@pytest.mark.django_db
def test_without_a_redis_the_database_is_the_cache(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "concord_cache"}}
    create_cache_table()
    caches["default"].set("key", "value", 60)
    assert caches["default"].get("key") == "value"
    assert "concord_cache" in connection.introspection.table_names()
