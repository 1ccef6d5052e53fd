"""What the OpenAPI schema cannot learn from the views: how a caller authenticates."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # no stubs
    """`Authorization: Bearer sy_<prefix>_<secret>`."""

    target_class = "config.kernel.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        del auto_schema
        return {"type": "http", "scheme": "bearer", "bearerFormat": "sy_<prefix>_<secret>"}
