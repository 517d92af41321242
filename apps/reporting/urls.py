"""Addresses of the desk and the reports."""

from django.urls import path

from . import views

app_name = "reporting"

urlpatterns = [
    path("", views.desk, name="desk"),
    path("decisions/", views.all_decisions, name="decisions"),
    path("reports/", views.overview, name="overview"),
    path("reports/attribution/", views.attribution, name="attribution"),
    path("reports/people/", views.people_page, name="people"),
    path("campaigns/<int:pk>/permissions/", views.permissions, name="permissions"),
    path("programmes/<int:pk>/results/", views.programme, name="programme"),
    path("campaigns/<int:pk>/results/", views.campaign, name="campaign"),
]
