"""Campaigns, messages, content, offers, brands, programmes."""

from django.urls import URLPattern, path

from .views import editor, elsewhere, goods, narrowing, parts, plans, reach, reading, steps, umbrella

_STEPS = ("submit", "withdraw", "launch", "pause", "resume", "cancel")
_MESSAGE = "campaigns/<int:pk>/messages/<int:message_pk>/"
_VERSION = f"{_MESSAGE}versions/<int:version_pk>/"

urlpatterns: list[URLPattern] = [
    path("campaigns/", plans.listing, name="list"),
    path("campaigns/new/", plans.new, name="new"),
    path("campaigns/<int:pk>/", plans.detail, name="detail"),
    path("campaigns/<int:pk>/copy/", plans.copy, name="copy"),
    path("campaigns/<int:pk>/audience/", parts.audience, name="audience"),
    path("campaigns/<int:pk>/messages/", parts.messages, name="messages"),
    path("campaigns/<int:pk>/messages/new/", parts.new_message, name="message-new"),
    path("campaigns/<int:pk>/schedule/", parts.schedule, name="schedule"),
    path("campaigns/<int:pk>/check/", reach.check, name="check"),
    path("campaigns/<int:pk>/check/people/", reach.people, name="check-people"),
    path("campaigns/<int:pk>/approve/", steps.approve, name="approve"),
    path("campaigns/<int:pk>/decide/", steps.decide, name="decide"),
    path("campaigns/<int:pk>/lock/", steps.lock, name="lock"),
    *[path(f"campaigns/<int:pk>/{name}/", steps.step, {"name": name}, name=name) for name in _STEPS],
    path(_MESSAGE, editor.message, name="message"),
    path(f"{_MESSAGE}settings/", parts.settings, name="message-settings"),
    path(f"{_MESSAGE}elsewhere/", elsewhere.show, name="message-elsewhere"),
    path(f"{_MESSAGE}elsewhere/contacts/", elsewhere.tell, name="elsewhere-contacts"),
    path(f"{_MESSAGE}elsewhere/audience/", elsewhere.audience, name="elsewhere-audience"),
    path(f"{_MESSAGE}rule/", narrowing.rule, name="message-rule"),
    path(f"{_MESSAGE}copy/", parts.copy_message, name="message-copy"),
    path(f"{_MESSAGE}remove/", parts.remove_message, name="message-remove"),
    path(f"{_MESSAGE}versions/", editor.add, name="version-add"),
    path(f"{_VERSION}save/", editor.save, name="version-save"),
    path(f"{_VERSION}measure/", editor.measure, name="version-measure"),
    *[path(f"{_VERSION}{what}/", editor.change, {"what": what}, name=f"version-{what}")
      for what in ("fallback", "remove", "restore")],
    path(f"{_VERSION}history/<int:number>/", editor.revision, name="revision"),
    path(f"{_VERSION}test/", editor.test_send, name="test-send"),
    path(f"{_VERSION}preview/", reading.preview_frame, name="preview-frame"),
    path("offers/", goods.offer_list, name="offers"),
    path("offers/new/", goods.offer_new, name="offer-new"),
    path("offers/<int:pk>/", goods.offer_edit, name="offer"),
    path("offers/<int:pk>/copy/", goods.offer_copy, name="offer-copy"),
    path("offers/<int:pk>/archive/", goods.offer_archive, name="offer-archive"),
    path("brands/", goods.brands, name="brands"),
    path("brands/<slug:slug>/", goods.brand, name="brand"),
    path("brands/<int:pk>/logo", reading.logo, name="logo"),
    path("programmes/", umbrella.programmes, name="programmes"),
    path("programmes/new/", umbrella.new, name="programme-new"),
    path("programmes/<int:pk>/", umbrella.programme, name="programme"),
    path("m/<str:token>/", reading.browser, name="browser"),
]  # fmt: skip
