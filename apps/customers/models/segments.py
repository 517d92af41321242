"""Segments: stored rule trees and static lists, with their people as bitmaps."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.core.bitmaps import BitMapField


class SegmentKind(models.TextChoices):
    RULE = "rule", _("by rule")
    STATIC = "static", _("fixed list")


class Segment(models.Model):
    """A group of people: a rule tree (see ``apps.customers.segments``) or a fixed list. ``people`` is as of ``computed_at``."""

    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=SegmentKind.choices, default=SegmentKind.RULE)
    rule = models.JSONField(_("rule"), default=dict, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="segments", verbose_name=_("department")
    )
    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner"))
    version = models.PositiveIntegerField(default=1)
    people = BitMapField(null=True, blank=True)
    count = models.PositiveIntegerField(_("people"), null=True, blank=True)
    computed_at = models.DateTimeField(_("counted"), null=True, blank=True)
    previous_people = BitMapField(null=True, blank=True)
    previous_at = models.DateTimeField(_("counted before"), null=True, blank=True)
    created_at = models.DateTimeField(_("made"))
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("segment")
        verbose_name_plural = _("segments")

    def __str__(self) -> str:
        return self.name


class SegmentLeaf(models.Model):
    """The cached people of one leaf of a rule tree on one day of the company's zone. ``seen`` are the lines of
    ``DataChange`` that were visible when it was computed.
    """

    digest = models.CharField(max_length=64)
    day = models.DateField()
    people = BitMapField()
    count = models.PositiveIntegerField()
    seen = BitMapField()
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest", "day"], name="segment_leaf_once")]
        verbose_name = _("cached rule")
        verbose_name_plural = _("cached rules")

    def __str__(self) -> str:
        return self.digest[:12]


class DataChange(models.Model):
    """A line per transaction that changed a table which segments read; written by triggers only.

    The ids of the visible lines tell whether a cached leaf is still true, also when a transaction commits late: its line was
    not there before. ``touched`` are the customers of the changed rows, some of them more than once; NULL stands for everybody
    (a change of more than 5,000 rows, or of the goods).
    """

    subject = models.CharField(max_length=40)
    transaction = models.BigIntegerField()
    changes = models.PositiveIntegerField(default=1)
    touched = ArrayField(models.IntegerField(), null=True, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "transaction"], name="data_change_once")]
        verbose_name = _("data change")
        verbose_name_plural = _("data changes")

    def __str__(self) -> str:
        return f"{self.subject} {self.transaction}"
