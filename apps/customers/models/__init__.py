"""Customers: one person across all systems."""

from .attributes import AttributeDefinition
from .care import CareFlag
from .imports import ImportChange, ImportJob
from .people import ContactPoint, Customer, Interaction, MergeRecord, Source, SourceRecord
from .privacy import DataRequest
from .products import Category, Product, ProductPrice
from .segments import DataChange, Segment, SegmentLeaf

__all__ = [
    "AttributeDefinition",
    "CareFlag",
    "Category",
    "ContactPoint",
    "Customer",
    "DataChange",
    "DataRequest",
    "ImportChange",
    "ImportJob",
    "Interaction",
    "MergeRecord",
    "Product",
    "ProductPrice",
    "Segment",
    "SegmentLeaf",
    "Source",
    "SourceRecord",
]
