"""manage.py import_customers FILE --source CODE [--map TARGET=TEMPLATE ...]"""

from apps.customers.management.commands._importing import ImportCommand


class Command(ImportCommand):
    help = "Imports customers from a CSV file (plain or gzip)."
    kind = "customers"
