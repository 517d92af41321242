from django.urls import path

from apps.accounts import views

app_name = "accounts"
urlpatterns = [
    path("notifications/", views.notifications_page, name="notifications"),
    path("notifications/choices/", views.news, name="news"),
    path("profile/", views.profile, name="profile"),
    path("profile/deputies/", views.name_deputy, name="deputies"),
    path("profile/deputies/<int:pk>/end/", views.end_deputy, name="deputy-end"),
    path("language/", views.language, name="language"),
    path("history/<str:kind>/<str:key>/", views.history, name="history"),
]
