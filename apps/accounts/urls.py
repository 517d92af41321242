from django.urls import path

from apps.accounts import views

app_name = "accounts"
urlpatterns = [
    path("notifications/", views.notifications_page, name="notifications"),
    path("profile/", views.profile, name="profile"),
    path("language/", views.language, name="language"),
    path("history/<str:kind>/<str:key>/", views.history, name="history"),
]
