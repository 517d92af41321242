"""Addresses of customers: people, counter, imports, products, audiences."""

from django.urls import path

from .views import care, counter, imports, people, privacy, products, segments

app_name = "customers"

urlpatterns = [
    path("customers/", people.people_list, name="list"),
    path("customers/<int:customer_id>/", people.customer_page, name="customer"),
    path("customers/<int:customer_id>/timeline/", people.timeline_part, name="timeline"),
    path("customers/<int:customer_id>/merge/", people.merge_by_hand, name="merge"),
    path("customers/merges/<int:merge_id>/undo/", people.unmerge, name="unmerge"),
    path("customers/<int:customer_id>/export/", privacy.export, name="export"),
    path("customers/<int:customer_id>/erase/", privacy.erase, name="erase"),
    path("data-requests/", privacy.requests, name="data_requests"),
    path("data-requests/<int:request_id>/", privacy.answer, name="data_request_answer"),
    path("customers/<int:customer_id>/care/", care.flag, name="care"),
    path("counter/", counter.find, name="counter"),
    path("counter/<int:customer_id>/", counter.customer, name="counter_customer"),
    path("imports/", imports.job_list, name="imports"),
    path("imports/new/", imports.upload, name="import_upload"),
    path("imports/<int:job_id>/", imports.job_page, name="import"),
    path("imports/<int:job_id>/mapping/", imports.mapping, name="import_mapping"),
    path("imports/<int:job_id>/progress/", imports.progress, name="import_progress"),
    path("imports/<int:job_id>/<str:action>/", imports.act, name="import_act"),
    path("products/", products.product_list, name="products"),
    path("products/<int:product_id>/recall/", care.recall, name="recall"),
    path("audiences/", segments.segment_list, name="segments"),
    path("audiences/new/", segments.edit, name="segment_new"),
    path("audiences/list/", segments.new_list, name="segment_new_list"),
    path("audiences/<int:segment_id>/", segments.segment_page, name="segment"),
    path("audiences/<int:segment_id>/edit/", segments.edit, name="segment_edit"),
    path("audiences/<int:segment_id>/people/", segments.people, name="segment_people"),
    path("audiences/<int:segment_id>/<str:action>/", segments.act, name="segment_act"),
]
