"""Lists as query parameters arrive as they were given."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "kind"),
    [([1, -2, 3_000_000_000], "bigint"), ([], "int"), ([1, None], "int"), (["1", "a,b", '"'], "text"), ([[1, 2], [3, 4]], "int"),
     ([True, False], "bool")],
)  # fmt: skip
def test_a_list_arrives_as_it_was_given(given, kind):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [given])
        assert cursor.fetchone()[0] == given
