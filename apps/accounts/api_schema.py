"""How the API's description speaks of tokens. Loaded when the app is ready: DRF must be complete first."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):
    """Tells the API's description how tokens are given."""

    target_class = "apps.accounts.api_access.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
