"""People who work here, for tests. The password of all of them is PASSWORD."""

import factory
from factory.django import DjangoModelFactory

from apps.accounts.models import Department, Role, User

PASSWORD = "a long enough password"


class DepartmentFactory(DjangoModelFactory):
    class Meta:
        model = Department
        django_get_or_create = ("slug",)

    name = factory.Sequence(lambda number: f"Department {number}")
    slug = factory.Sequence(lambda number: f"department-{number}")
    colour = factory.Sequence(lambda number: number % 8 + 1)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"colleague{number}@example.com")
    name = factory.Sequence(lambda number: f"Colleague {number}")
    role = Role.MARKETER
    department = factory.SubFactory(DepartmentFactory)
    password = factory.django.Password(PASSWORD)
