"""Text messages through Twilio or anything of its shape."""

from .adapter import SmsRequest, TwilioSmsAdapter

__all__ = ["SmsRequest", "TwilioSmsAdapter"]
