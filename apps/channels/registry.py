"""The providers that Concord speaks to, and the adapter of an account.

A new provider is a folder under `adapters/` and one line here.
"""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import reverse

from apps.core import crypto

from . import calls
from .adapters.base import AccountConfig, Adapter
from .adapters.call_list import CallListAdapter
from .adapters.print_file import PrintFileAdapter
from .adapters.sandbox import SandboxCall, SandboxEmail, SandboxLetter, SandboxSms
from .adapters.smtp import SmtpAdapter
from .adapters.twilio_sms import TwilioSmsAdapter
from .models import ChannelAccount

ADAPTERS: tuple[type[Adapter], ...] = (
    SmtpAdapter,
    TwilioSmsAdapter,
    PrintFileAdapter,
    CallListAdapter,
    SandboxEmail,
    SandboxSms,
    SandboxLetter,
    SandboxCall,
)

_BY_CODE = {adapter.code: adapter for adapter in ADAPTERS}


class UnknownAdapter(Exception):
    """An account names a provider that is not registered, or none at all (it is sent elsewhere)."""


def adapter_class(code: str) -> type[Adapter]:
    """The adapter registered as `code`; raises `UnknownAdapter`."""
    try:
        return _BY_CODE[code]
    except KeyError:
        raise UnknownAdapter(code) from None


def for_channel(channel: str) -> list[type[Adapter]]:
    """The adapters that can serve a channel, real ones first."""
    return [adapter for adapter in ADAPTERS if adapter.channel == channel]


def config_of(account: ChannelAccount) -> AccountConfig:
    """The account detached from the database, credentials decrypted."""
    options: dict[str, Any] = dict(account.options)
    options["sandbox_folder"] = str(settings.SANDBOX_DIR)
    if not options.get("folder"):
        options["folder"] = str(settings.MEDIA_ROOT / "print_files")
    return AccountConfig(
        id=account.pk,
        channel=account.channel,
        adapter=account.adapter,
        options=options,
        credentials=crypto.decrypt(account.credentials or b""),
        sender={
            "from_name": account.sender_name,
            "from_email": account.sender_address,
            "from_number": account.sender_address,
        },
        public_url=settings.PUBLIC_URL.rstrip("/") + reverse("channels:hook", args=[account.public_id]),
    )


@lru_cache(maxsize=64)
def _kept(key: str, account_id: int) -> list[Adapter]:
    """Room for one adapter of an account in exactly this configuration, so that its connections are kept."""
    return []


def adapter_for(account: ChannelAccount) -> Adapter:
    """The adapter of an account, the same object as long as its configuration stays the same."""
    config = config_of(account)
    room = _kept(f"{config!r}{bytes(account.credentials or b'').hex()}", account.pk)
    if not room:
        made = adapter_class(account.adapter)(config)
        if isinstance(made, CallListAdapter):
            made.sink = calls.SINK
        room.append(made)
    return room[0]
