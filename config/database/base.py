from typing import Any

from django.db import OperationalError
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to the embedded PostgreSQL of settings.CLUSTER, starting it (again) when it does not run."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        from django.conf import settings

        settings.CLUSTER.attach()
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            # A crashed server is started once more; a second failure is the caller's to hear.
            settings.CLUSTER.attach(again=True)
            return super().get_new_connection(conn_params)
