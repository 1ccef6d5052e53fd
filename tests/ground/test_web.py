import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from config import health
from config.middleware import ContentPolicyMiddleware, RequestContextMiddleware


def answered(path: str, **headers: str) -> HttpResponse:
    """What the two middlewares make of an empty answer at this path."""
    request = RequestFactory().get(path, headers=headers)
    chain = RequestContextMiddleware(ContentPolicyMiddleware(lambda _: HttpResponse()))
    return chain(request)


def script_sources(response: HttpResponse) -> str:
    policy = response.headers["Content-Security-Policy"]
    return next(part for part in policy.split("; ") if part.startswith("script-src "))


class TestContentPolicy:
    @pytest.mark.parametrize("path", ["/api/v1/orders", "/console/orders"])
    def test_allows_only_our_own_scripts(self, path: str):
        assert script_sources(answered(path)) == "script-src 'self'"

    def test_allows_eval_where_unfold_needs_it(self):
        assert script_sources(answered("/admin/")) == "script-src 'self' 'unsafe-eval'"

    def test_does_not_widen_what_only_begins_alike(self):
        assert script_sources(answered("/administration")) == "script-src 'self'"


class TestRequestContext:
    def test_gives_every_request_an_id(self):
        first, second = (answered("/")["X-Request-ID"] for _ in range(2))

        assert first != second

    def test_keeps_the_id_that_the_proxy_gave(self):
        assert answered("/", **{"X-Request-ID": "edge-0123456789"})["X-Request-ID"] == (
            "edge-0123456789"
        )

    @pytest.mark.parametrize("given", ["short", "a line\nmore", "x" * 65, "<script>alert</script>"])
    def test_replaces_an_id_of_another_shape(self, given: str):
        assert answered("/", **{"X-Request-ID": given})["X-Request-ID"] != given

    def test_closes_the_features_that_no_page_uses(self):
        assert "geolocation=()" in answered("/")["Permissions-Policy"]


class TestHealth:
    def test_is_alive_without_asking_anybody(self, client: Client):
        response = client.get("/healthz")

        assert (response.status_code, response.content) == (200, b"ok\n")

    @pytest.mark.django_db
    def test_is_ready_when_everything_answers(self, client: Client):
        response = client.get("/readyz")

        assert response.json() == {
            "ready": True,
            "checks": {"database": "ok", "schema": "ok", "cache": "ok", "broker": "ok"},
        }

    def test_is_not_ready_and_says_which_part(self, client: Client, monkeypatch):
        def refuse() -> None:
            raise health.NotReady("broker-7.internal does not answer")

        monkeypatch.setattr(health, "_CHECKS", {"database": lambda: None, "broker": refuse})

        response = client.get("/readyz")

        assert response.status_code == 503
        assert response.json() == {
            "ready": False,
            "checks": {"database": "ok", "broker": "NotReady"},
        }
