"""Every address of the application."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from config.console.views.account import admin_sign_in
from config.health import healthz, readyz
from config.kernel.problems import unknown_path
from config.metrics import metrics

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("", RedirectView.as_view(pattern_name="console:home")),
    path("api/v1/", include(("config.api", "api"))),
    re_path("^api/", unknown_path),
    path("t/", include("config.track.urls")),
    path("console/", include("config.console.urls")),
    path("admin/login/", admin_sign_in),
    path("admin/", admin.site.urls),
]
