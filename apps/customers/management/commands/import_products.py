"""manage.py import_products FILE --source CODE [--map TARGET=TEMPLATE ...]"""

from apps.customers.management.commands._importing import ImportCommand


class Command(ImportCommand):
    help = "Imports products from a CSV file (plain or gzip)."
    kind = "products"
