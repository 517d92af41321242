"""The sandbox adapters: the real ones, pointed at the local counterparts."""

from .adapters import SandboxCall, SandboxEmail, SandboxLetter, SandboxSms

__all__ = ["SandboxCall", "SandboxEmail", "SandboxLetter", "SandboxSms"]
