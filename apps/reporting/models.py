"""Facts by the day, rebuilt from the ledger and the interactions; credits of purchases to contacts."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DailyFact(models.Model):
    """Counts of one day for one run, variant and country. Deleted and rebuilt as a whole.

    People stand on the day of their run (company's zone), whenever their events came, so that sums never count somebody
    twice; ``opened``, ``clicked`` and so on leave machines out. ``orders`` and ``revenue`` are linear credit and stand
    on the day of the purchase. Money is in ``currency`` and is never added to another.
    """

    day = models.DateField()
    department_id = models.IntegerField()
    campaign_id = models.IntegerField()
    message_id = models.IntegerField()
    run_id = models.IntegerField()
    channel = models.CharField(max_length=20)
    variant = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    sent = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    held_out = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    bounced = models.PositiveIntegerField(default=0)
    opened = models.PositiveIntegerField(default=0)
    clicked = models.PositiveIntegerField(default=0)
    replied = models.PositiveIntegerField(default=0)
    complained = models.PositiveIntegerField(default=0)
    unsubscribed = models.PositiveIntegerField(default=0)
    orders = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    revenue = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=4, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "run_id", "variant", "country", "currency"], name="daily_fact_once"),
        ]
        indexes = [
            models.Index(fields=["campaign_id", "day"], name="daily_fact_campaign"),
            models.Index(fields=["department_id", "day"], name="daily_fact_department"),
        ]
        verbose_name = _("daily fact")
        verbose_name_plural = _("daily facts")

    def __str__(self) -> str:
        return f"{self.day} {self.run_id}"


class StaleDay(models.Model):
    """A day whose facts must be rebuilt because something late belongs to it."""

    day = models.DateField(primary_key=True)
    marked_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.day)


class CreditModel(models.TextChoices):
    FIRST = "first", _("first contact")
    LAST = "last", _("last contact")
    LINEAR = "linear", _("all contacts alike")


class Credit(models.Model):
    """The part of one purchase credited to one contact (run, customer) by one model. Parts sum to the purchase exactly."""

    interaction_id = models.BigIntegerField()
    model = models.CharField(max_length=8, choices=CreditModel.choices)
    run_id = models.IntegerField()
    customer_id = models.IntegerField()
    touched_at = models.DateTimeField()
    bought_on = models.DateField()
    share = models.DecimalField(max_digits=9, decimal_places=6)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["interaction_id", "model", "run_id"], name="credit_once"),
        ]
        indexes = [
            models.Index(fields=["run_id", "model"], name="credit_run"),
            models.Index(fields=["bought_on"], name="credit_day"),
        ]
        verbose_name = _("credit")
        verbose_name_plural = _("credits")

    def __str__(self) -> str:
        return f"{self.model} {self.run_id} {self.amount}"
