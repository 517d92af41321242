import pytest
from pyroaring import BitMap

from apps.core import bitmaps
from apps.core.bitmaps import BitMapField
from tests.factories.campaigns import MessageFactory


def test_a_set_survives_the_way_to_the_database_and_back():
    field, people = BitMapField(), BitMap([1, 70_000, 2**32 - 1])
    assert field.from_db_value(field.get_prep_value(people), None, None) == people
    assert field.get_prep_value(None) is None
    assert field.to_python(field.get_prep_value([3, 1])) == BitMap([1, 3])


@pytest.mark.django_db
def test_a_query_gives_its_first_column_as_a_set():
    assert bitmaps.from_sql("SELECT generate_series(1, %s)", [250_000]) == BitMap(range(1, 250_001))
    assert bitmaps.from_sql("SELECT 1 WHERE false") == BitMap()


@pytest.mark.django_db
def test_stored_sets_come_back_by_their_row_and_empty_rows_are_left_out():
    many, none = MessageFactory(plan_audience=BitMap(range(3, 200_000, 3))), MessageFactory(plan_audience=None)
    table = many._meta.db_table
    assert bitmaps.stored(table, "plan_audience", [many.pk, none.pk, 10**9]) == {many.pk: BitMap(range(3, 200_000, 3))}
    assert bitmaps.stored(table, "plan_audience", []) == {}
