"""Addresses of channels."""

from django.urls import path

from .views import pages, public, sandbox

app_name = "channels"

urlpatterns = [
    path("channels/", pages.overview, name="overview"),
    path("channels/new/", pages.new, name="new"),
    path("channels/new/<slug:code>/", pages.new, name="new_account"),
    path("channels/<int:pk>/", pages.account, name="account"),
    path("channels/<int:pk>/change/", pages.change, name="change"),
    path("channels/<int:pk>/test/", pages.test, name="test"),
    path("inbox/", sandbox.listing, name="inbox"),
    path("inbox/<int:number>/", sandbox.message, name="inbox_message"),
    path("inbox/<int:number>/html/", sandbox.html, name="inbox_html"),
    path("inbox/<int:number>/letter.pdf", sandbox.letter, name="inbox_letter"),
    path("inbox/<int:number>/reply/", sandbox.reply, name="inbox_reply"),
    path("t/c/<str:token>", public.click, name="click"),
    path("t/o/<str:token>.gif", public.opened, name="open"),
    path("hooks/<uuid:public_id>/", public.hook, name="hook"),
]
