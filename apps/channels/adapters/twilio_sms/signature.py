"""X-Twilio-Signature: base64 HMAC-SHA1, keyed by the auth token, over the exact URL and the sorted form fields.

Rules and test vectors are those of Twilio's own validators: values of a field are sorted and doubles dropped; a JSON
body is covered by the `bodySHA256` query field instead; the port of a standard URL may or may not have been signed.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit


def signature(auth_token: str, url: str, fields: Iterable[tuple[str, str]] = ()) -> str:
    """The signature of a form POST with these fields (any order) to `url`."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def _spellings(url: str) -> set[str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return {url, *(urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, f"{host}:{port}"))}


def is_authentic(auth_token: str, url: str, body: bytes, content_type: str, given: str) -> bool:
    """True when `given` is the provider's signature over this URL and these raw bytes."""
    fields: list[tuple[str, str]] = []
    if "json" in content_type:
        claimed = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
        if not hmac.compare_digest(claimed.encode(), hashlib.sha256(body).hexdigest().encode()):
            return False
    else:
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    offered = given.encode("utf-8", "replace")
    # every spelling is tried, so that the time taken tells nothing about which of them was near
    matches = [hmac.compare_digest(signature(auth_token, u, fields).encode(), offered) for u in _spellings(url)]
    return bool(auth_token) and any(matches)
