"""Channel accounts for tests."""

from datetime import UTC, datetime

import factory

from apps.channels.kinds import Channel
from apps.channels.models import ChannelAccount
from apps.core import crypto

NOW = datetime(2026, 11, 18, 13, 0, tzinfo=UTC)


class ChannelAccountFactory(factory.django.DjangoModelFactory):
    """A sandbox e-mail account; `credentials_dict` is encrypted."""

    class Meta:
        model = ChannelAccount

    class Params:
        credentials_dict: dict[str, str] = {}
        sms = factory.Trait(channel=Channel.SMS, adapter="sandbox_sms", sender_address="+4722222222")
        letter = factory.Trait(channel=Channel.LETTER, adapter="sandbox_letter", sender_address="")
        call = factory.Trait(channel=Channel.CALL, adapter="sandbox_call", sender_address="+4722222222")

    name = factory.Sequence(lambda n: f"Account {n}")
    channel = Channel.EMAIL
    adapter = "sandbox_email"
    is_sandbox = True
    sender_name = "Fjord"
    sender_address = "hei@fjord.example"
    created_at = NOW
    credentials = factory.LazyAttribute(lambda o: crypto.encrypt(o.credentials_dict) if o.credentials_dict else None)
