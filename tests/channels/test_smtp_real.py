"""SMTP with programs that are not ours: Postfix's smtp-sink, and TLS with a certificate that is checked."""

from __future__ import annotations

import datetime
import ipaddress
import re
import ssl
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.channels.adapters.base import AccountConfig, AdapterError, Outcome, OutgoingMessage
from apps.channels.adapters.smtp import SmtpAdapter
from apps.channels.content import MimeTemplate, marker, unsubscribe_headers
from apps.channels.counterparts import inbox
from apps.channels.counterparts.process import running
from tests.sink import SINK, running_sink

TEMPLATE = MimeTemplate.compile(
    subject=f"Hei {marker('name')} – tilbud",
    html=f"<p>.{marker('name')}</p>",
    text=f"{marker('name')}\n.\nslutt",
    sender={"from_email": "hei@fjord.example"},
    slots=["name"],
)


def adapter(port: int, **options: Any) -> SmtpAdapter:
    given = {"host": "127.0.0.1", "port": port, "security": "none", "timeout": 5} | options
    return SmtpAdapter(AccountConfig(1, "email", "smtp", given, options.pop("credentials", {})))


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A running smtp-sink: its port and the file it writes messages to."""
    if SINK is None:
        pytest.skip("Postfix's smtp-sink is not installed")
    tmp_path.chmod(0o777)
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    with running_sink("-D", str(tmp_path / "got"), backlog=200) as port:
        yield port, tmp_path / "got"


def test_postfix_takes_every_message_and_reads_what_was_written(sink: tuple[int, Path]) -> None:
    port, file = sink
    account = adapter(port)
    names = {f"5.{n}": f"Åse nr. {n} . <&>" for n in range(1, 201)}
    headers = unsubscribe_headers("https://fjord.example/u/x/")
    requests = [
        account.build(OutgoingMessage(reference, f"a{n}@example.com", "nb", TEMPLATE, {"name": name}, headers))
        for n, (reference, name) in enumerate(names.items())
    ]

    receipts = list(account.post(requests))
    account.close()

    assert [r.outcome for r in receipts] == [Outcome.ACCEPTED] * 200
    dumped = re.split(rb"(?m)^X-Client-Addr:.*\n", file.read_bytes())[1:]
    messages = [message_from_bytes(part, policy=policy.default) for part in dumped]
    found = {str(m["message-id"]).strip("<>").partition("@")[0]: m for m in messages}
    assert found.keys() == names.keys()
    for reference, name in names.items():
        assert found[reference]["subject"] == f"Hei {name} – tilbud"
        body = found[reference].get_body(("plain",))  # type: ignore[attr-defined]
        assert body.get_content().splitlines() == [name, ".", "slutt"]
        assert found[reference]["date"]


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for `name`, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_format = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *key_format))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "cert.pem", folder / "key.pem"


def test_starttls_is_used_with_a_checked_certificate(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "relay")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    with running(tmp_path / "sandbox", tls=context) as endpoints:
        trusted = adapter(endpoints.smtp, security="starttls", ca_file=str(cert))
        request = trusted.build(OutgoingMessage("6.1", "ola@example.com", "nb", TEMPLATE, {"name": "Ola"}))

        assert [r.outcome for r in trusted.post([request])] == [Outcome.ACCEPTED]
        with pytest.raises(AdapterError, match="no trusted connection"):
            adapter(endpoints.smtp, security="starttls").test_connection()
        trusted.close()

    assert inbox.references("email", tmp_path / "sandbox") == {"6.1": 1}


def test_a_relay_without_starttls_is_refused_when_protection_is_asked_for(sandbox: Any) -> None:
    with pytest.raises(AdapterError, match="does not offer STARTTLS"):
        adapter(sandbox.smtp, security="starttls").test_connection()
