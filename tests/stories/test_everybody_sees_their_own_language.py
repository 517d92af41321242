"""A Norwegian and a Polish customer get the recall in their own language, and choose on a page in their own language."""

import email
from email import policy

import pytest

from apps.consent import links
from apps.customers.models import Customer


@pytest.mark.parametrize(
    ("language", "subject", "page_word"),
    [("nb", "Viktig: slutt å bruke hodelykten Tind 300", "Lagre"), ("pl", "Ważne: nie używaj czołówki Tind 300", "Zapisz")],
)
def test_a_customer_sees_their_own_language_in_the_mail_and_on_the_page(company, open_page, language, subject, page_word):
    company.later(minutes=31)
    company.send()
    person = _who_got(company, language, subject)

    page = open_page(locale={"nb": "nb-NO", "pl": "pl-PL"}[language])
    page.goto(links.preference_url(person.pk).replace("http://localhost:8000", ""))
    assert page.locator("html").get_attribute("lang") == language
    assert page_word in page.locator("main").inner_text()
    assert "Save" not in page.locator("main").inner_text()


def _who_got(company, language: str, subject: str) -> Customer:
    for person in Customer.objects.filter(language=language, contact_points__kind="email").distinct():
        address = person.contact_points.filter(kind="email").first().value
        for got in company.mails(address):
            if got.subject == subject:
                mail = email.message_from_bytes(got.body, policy=policy.SMTP)
                assert mail.get_body(("plain",)) is not None
                return person
    pytest.fail(f"nobody got “{subject}”")
