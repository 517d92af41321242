"""Price lists."""

from decimal import Decimal

import pytest

from apps.customers.imports import undo
from apps.customers.models import Category, Product, ProductPrice
from tests.customers.importing import NOW, errors, imported

pytestmark = pytest.mark.django_db
LIST = "sku,name,cat,price,country,currency\nC1,Coat,Clothes > Coats,1499,NO,NOK\nC1,Coat,Clothes > Coats,599,PL,PLN\nS1,Scarf,Clothes > Small,199,NO,NOK\n"
COLUMNS = {
    "sku": "{sku}", "name": "{name}", "category": "{cat}", "price": "{price}", "country": "{country}", "currency": "{currency}",
}  # fmt: skip


def run(text=LIST):
    return imported(text, COLUMNS, kind="products")


def test_products_get_their_branch_of_the_tree_and_prices_per_country():
    job = run()
    assert (job.counts["new_products"], job.counts["new_categories"], job.counts["new_prices"]) == (2, 3, 3)
    coat = Product.objects.get(sku="C1")
    assert str(coat.category.parent) == "Clothes"
    assert coat.category.path.startswith(coat.category.parent.path)
    assert dict(coat.prices.values_list("country", "amount")) == {"NO": Decimal(1499), "PL": Decimal(599)}


def test_the_same_list_twice_changes_nothing():
    run()
    job = run()
    assert (job.counts["new_products"], job.counts["unchanged_products"], job.counts["new_prices"]) == (0, 2, 0)
    assert (Product.objects.count(), Category.objects.count(), ProductPrice.objects.count()) == (2, 3, 3)


def test_a_list_can_be_taken_back():
    run()
    job = imported("sku,name,price,country,currency\nC1,Warm coat,1299,NO,NOK\nN1,New,5,NO,NOK\n",
                   {key: text for key, text in COLUMNS.items() if key != "category"}, kind="products")  # fmt: skip
    assert ProductPrice.objects.get(product__sku="C1", country="NO").amount == 1299
    undo.undo(job_id=job.pk, actor=None, now=NOW)
    assert ProductPrice.objects.get(product__sku="C1", country="NO").amount == 1499
    assert set(Product.objects.values_list("sku", "name")) == {("C1", "Coat"), ("S1", "Scarf")}


def test_a_price_without_currency_or_below_nought_is_told():
    job = run("sku,name,cat,price,country,currency\nC1,Coat,,10,NO,\nC2,Coat,,-3,NO,NOK\n")
    assert job.rows_refused == 2
    assert "currency" in errors(job)
