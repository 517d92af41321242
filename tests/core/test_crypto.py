import pytest

from apps.core.crypto import CannotDecrypt, decrypt, encrypt


def test_credentials_come_back_and_are_unreadable_at_rest():
    stored = encrypt({"token": "s3cret-ł"})
    assert b"s3cret" not in stored
    assert decrypt(memoryview(stored)) == {"token": "s3cret-ł"}


def test_nothing_stored_is_no_credentials():
    assert decrypt(b"") == {}


def test_a_rotated_key_still_reads_and_a_lost_one_says_so(settings):
    settings.CREDENTIAL_KEYS = ["old"]
    stored = encrypt({"user": "a"})
    settings.CREDENTIAL_KEYS = ["new", "old"]
    assert decrypt(stored) == {"user": "a"}
    settings.CREDENTIAL_KEYS = ["new"]
    with pytest.raises(CannotDecrypt):
        decrypt(stored)
