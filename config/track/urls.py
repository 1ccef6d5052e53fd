from django.urls import path

from config.track import views

app_name = "track"
urlpatterns = [
    path("<str:token>", views.show, name="show"),
    path("<str:token>/unlock", views.unlock, name="unlock"),
    path("<str:token>/problem", views.problem, name="problem"),
    path("<str:token>/consent", views.consent, name="consent"),
    path("<str:token>/choice", views.choice, name="choice"),
    path("<str:token>/return", views.give_back, name="return"),
]
