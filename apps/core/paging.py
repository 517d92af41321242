"""Pages of the API: by id, so that a page costs the same however far one has read."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class ById(CursorPagination):
    """Rows in the order of their ids; ``?page_size=`` up to 500."""

    ordering = "id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
