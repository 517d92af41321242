"""E-mail through any SMTP relay."""

from .adapter import MailRequest, SmtpAdapter

__all__ = ["MailRequest", "SmtpAdapter"]
