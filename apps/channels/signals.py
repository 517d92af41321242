"""News from providers, for the apps above: the one way in which channels speaks upwards.

`provider_event` is sent after commit with `events`, a list of `ContactEvent` that were new. Each of them also carries
`address` and `text` (not stored in the event), because an inbound STOP knows a number and no customer. Receivers must
bear hearing the same event twice.
"""

from django.dispatch import Signal

provider_event = Signal()
