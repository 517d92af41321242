"""The API, version 1, with its description and a page to try it."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from apps.accounts import access
from apps.campaigns.api import (
    CampaignViewSet,
    ContentViewSet,
    DeliveryViewSet,
    MessageViewSet,
    OfferViewSet,
    ProgrammeViewSet,
)
from apps.campaigns.api_conflicts import ConflictViewSet
from apps.campaigns.api_elsewhere import ContactViewSet, PermissionViewSet
from apps.consent.api import ConsentViewSet
from apps.customers.api import CustomerViewSet, InteractionViewSet, SegmentViewSet

router = SimpleRouter()
router.register("customers", CustomerViewSet, "api-customers")
router.register("interactions", InteractionViewSet, "api-interactions")
router.register("segments", SegmentViewSet, "api-segments")
router.register("campaigns", CampaignViewSet, "api-campaigns")
router.register("messages", MessageViewSet, "api-messages")
router.register("contents", ContentViewSet, "api-contents")
router.register("offers", OfferViewSet, "api-offers")
router.register("programmes", ProgrammeViewSet, "api-programmes")
router.register("deliveries", DeliveryViewSet, "api-deliveries")
router.register("conflicts", ConflictViewSet, "api-conflicts")
router.register("contacts", ContactViewSet, "api-contacts")
router.register("permissions", PermissionViewSet, "api-permissions")
router.register("consent", ConsentViewSet, "api-consent")

urlpatterns = [
    path("schema/", access.signed_in(SpectacularAPIView.as_view()), name="api-schema"),
    path("try/", access.signed_in(SpectacularSwaggerSplitView.as_view(url_name="api-schema")), name="api-try"),
    path("", include(router.urls)),
]
