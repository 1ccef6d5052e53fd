"""What answers of the API carry in their headers."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.kernel.throttling import WINDOW_SECONDS


class RateLimitHeaders:
    """Tell a counted caller what is left: `RateLimit` and `RateLimit-Policy` (IETF httpapi)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        counted: tuple[int, int, int] | None = getattr(request, "rate_limit", None)
        if counted is not None:
            limit, left, reset = counted
            response.headers["RateLimit-Policy"] = f'"key";q={limit};w={WINDOW_SECONDS}'
            response.headers["RateLimit"] = f'"key";r={left};t={reset}'
        return response
