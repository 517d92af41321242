"""manage.py import_interactions FILE --source CODE [--map TARGET=TEMPLATE ...]"""

from apps.customers.management.commands._importing import ImportCommand


class Command(ImportCommand):
    help = "Imports interactions from a CSV file (plain or gzip)."
    kind = "interactions"
