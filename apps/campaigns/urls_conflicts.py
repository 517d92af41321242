"""Calendar and conflicts."""

from django.urls import path

from .views import calendar, conflicts, feeds

urlpatterns = [
    path("calendar/", calendar.timeline, name="calendar"),
    path("calendar/month/", calendar.month, name="calendar-month"),
    path("calendar/agenda/", calendar.agenda, name="calendar-agenda"),
    path("calendar/subscribe/", feeds.page, name="feeds"),
    path("calendar/subscribe/<int:pk>/revoke/", feeds.revoke, name="feed-revoke"),
    path("feeds/<str:secret>.ics", feeds.feed, name="feed"),
    path("calendar/move/<int:pk>/", calendar.move, name="calendar-move"),
    path("calendar/pressure/<str:day>/", calendar.pressure_day, name="calendar-pressure"),
    path("conflicts/", conflicts.listing, name="conflicts"),
    path("conflicts/rules/", conflicts.rules, name="conflict-rules"),
    path("conflicts/<int:pk>/", conflicts.detail, name="conflict"),
    path("conflicts/<int:pk>/panels/", conflicts.panels, name="conflict-panels"),
    path("conflicts/<int:pk>/people/", conflicts.people, name="conflict-people"),
    path("conflicts/<int:pk>/seen/", conflicts.acknowledge, name="conflict-seen"),
    path("conflicts/<int:pk>/propose/", conflicts.propose, name="conflict-propose"),
    path("conflicts/<int:pk>/owner/", conflicts.assign, name="conflict-owner"),
    path("conflicts/<int:pk>/comment/", conflicts.comment, name="conflict-comment"),
    path("conflicts/resolutions/<int:pk>/sign/", conflicts.sign, name="resolution-sign"),
    path("conflicts/resolutions/<int:pk>/withdraw/", conflicts.withdraw, name="resolution-withdraw"),
    path("conflicts/resolutions/<int:pk>/end/", conflicts.end, name="resolution-end"),
    path("conflicts/segment/<int:pk>/", conflicts.segment_overlap, name="segment_overlap"),
]
