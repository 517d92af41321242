import pytest

from apps.accounts import masking
from tests.factories.accounts import UserFactory


@pytest.mark.parametrize(
    ("mask", "clear", "masked"),
    [
        (masking.mask_name, "Ola Nordmann", "O… N…"),
        (masking.mask_name, "", ""),
        (masking.mask_email, "ola@example.com", "o…@example.com"),
        (masking.mask_phone, "+4722334455", "+47…55"),
        (masking.mask_phone, "12345", "…"),
        (masking.mask_text, "Storgata 1", "S…"),
    ],
)
def test_people_are_masked_except_for_those_who_may_open_them(mask, clear, masked):
    assert mask(UserFactory.build(department=None), clear) == masked
    assert mask(UserFactory.build(department=None, handles_personal_data=True), clear) == clear
