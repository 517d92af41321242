"""The local counterparts: they behave as told, keep what they got, and go away when asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.channels.adapters.base import AccountConfig, OutgoingMessage
from apps.channels.adapters.sandbox import SandboxEmail, SandboxSms
from apps.channels.content import MimeTemplate, SmsContent
from apps.channels.counterparts import inbox, place
from apps.channels.counterparts.place import Endpoints
from apps.channels.counterparts.rules import Behaviour, Rules

ROOT = Path(__file__).parents[2]
MAIL = MimeTemplate.compile(subject="Hi", html="x", text="x", sender={"from_email": "hei@fjord.example"})


def wait_for(what: Callable[[], object], seconds: float = 20) -> object:
    for _ in range(int(seconds * 20)):
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def mail(folder: Path, *references: str) -> list[str]:
    adapter = SandboxEmail(AccountConfig(1, "email", "sandbox_email", {"sandbox_folder": str(folder)}))
    messages = [OutgoingMessage(reference, "ola@example.com", "nb", MAIL) for reference in references]
    receipts = list(adapter.post([adapter.build(message) for message in messages]))
    adapter.close()
    return [receipt.outcome.value for receipt in receipts]


def test_doubles_are_seen(sandbox: Endpoints, tmp_path: Path) -> None:
    mail(tmp_path / "sandbox", "1.1", "1.2", "1.2", "not ours")

    count = inbox.counts(tmp_path / "sandbox")["email"]

    assert (count.messages, count.distinct, count.duplicates) == (4, 3, 1)


def test_what_was_got_can_be_searched_and_paged(sandbox: Endpoints, tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    mail(folder, *[f"1.{n}" for n in range(120)])
    inbox.counts(folder)

    third = inbox.messages("email", page=3, folder=folder)
    found = inbox.messages("email", search="1.11", folder=folder)

    assert (len(third.messages), third.pages, third.total) == (20, 3, 120)
    assert {got.reference for got in found.messages} == {"1.11", *[f"1.{n}" for n in range(110, 120)]}
    assert b"Message-ID: <1.117@" in inbox.message(inbox.find("email", "1.117", folder).id, folder).body  # type: ignore[union-attr]
    assert inbox.messages("email", search="100%", folder=folder).total == 0


@pytest.mark.parametrize(
    ("address", "behaviour"),
    [
        ("bounce@example.com", "invalid"),
        ("bounce7@example.com", "invalid"),
        ("bounce+x@example.com", "invalid"),
        ("bouncer@example.com", "accept"),
        ("full.kari@example.com", "busy"),
        ("kari@bounce.example", "accept"),
    ],
)
def test_patterns_decide_about_addresses(tmp_path: Path, address: str, behaviour: str) -> None:
    assert Rules(tmp_path).behaviour("email", address) == behaviour


def test_rules_can_be_told_while_it_runs(sandbox: Endpoints, tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    (folder / "rules.json").write_text(json.dumps([{"channel": "email", "pattern": "^ola@", "behaviour": "busy"}]))

    wait_for(lambda: mail(folder, "1.1") == ["retry"])
    (folder / "rules.json").write_text("not json")

    assert mail(folder, "1.2") == ["retry"]
    (folder / "rules.json").unlink()
    wait_for(lambda: mail(folder, "1.3") == ["accepted"])


def test_a_broken_rules_file_changes_nothing(tmp_path: Path) -> None:
    rules = Rules(tmp_path)
    (tmp_path / "rules.json").write_text('[{"channel": "email", "pattern": "(", "behaviour": "busy"}]')

    rules.refresh()

    assert rules.behaviour("email", "ola@example.com") is Behaviour.ACCEPT


def test_a_text_message_handed_over_twice_is_kept_once(sandbox: Endpoints, tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    adapter = SandboxSms(
        AccountConfig(1, "sms", "sandbox_sms", {"sandbox_folder": str(folder)}, {}, {"from_number": "+4722222222"})
    )
    request = adapter.build(OutgoingMessage("1.1", "+4740000001", "nb", SmsContent("Hi")))

    first, second = (next(iter(adapter.post([request]))) for _ in range(2))

    assert first.provider_id == second.provider_id
    assert inbox.counts(folder)["sms"].messages == 1


def test_without_counterparts_everything_waits(tmp_path: Path) -> None:
    assert mail(tmp_path, "1.1") == ["retry"]


def test_a_thousand_mails_take_a_moment(sandbox: Endpoints, tmp_path: Path) -> None:
    references = [f"1.{n}" for n in range(1000)]
    began = time.process_time()

    assert set(mail(tmp_path / "sandbox", *references)) == {"accepted"}

    # processor time of both sides and of the test itself, so that a busy machine does not fail it
    assert time.process_time() - began < 2.0
    assert inbox.counts(tmp_path / "sandbox")["email"].distinct == 1000


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_process_announces_itself_and_goes_away_with_all_it_got(tmp_path: Path, how: signal.Signals) -> None:
    environment = {**os.environ, "SANDBOX_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "counterparts"], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    )
    try:
        wait_for(lambda: place.find(tmp_path))
        assert mail(tmp_path, "1.1") == ["accepted"]
        process.send_signal(how)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()

    assert place.find(tmp_path) is None
    assert inbox.references("email", tmp_path) == {"1.1": 1}
