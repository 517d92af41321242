"""Runs, stops, calls and print files."""

from django.urls import URLPattern, path

from .views import handing_over, sending

urlpatterns: list[URLPattern] = [
    path("campaigns/<int:pk>/live/", sending.live, name="live"),
    path("campaigns/<int:pk>/live/act/", sending.live_act, name="live-act"),
    path("campaigns/<int:pk>/live/<int:run_pk>/<str:outcome>/", sending.run_people, name="run-people"),
    path("sending/", sending.overview, name="sending"),
    path("sending/act/", sending.overview_act, name="sending-act"),
    path("calls/", handing_over.calls_page, name="calls"),
    path("calls/next/", handing_over.next_call, name="call-next"),
    path("calls/<int:pk>/close/", handing_over.close_call, name="call-close"),
    path("print-files/", handing_over.print_files, name="print-files"),
    path("print-files/<int:pk>/close/", handing_over.close_print_file, name="print-file-close"),
    path("print-files/<int:pk>/<str:kind>/", handing_over.download, name="print-file"),
    path("deliveries/<int:run_pk>/<int:customer_pk>/", handing_over.delivery, name="delivery"),
]
