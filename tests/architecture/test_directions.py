"""Apps stand on each other downwards only: imports, and foreign keys, which import-linter does not see."""

import ast

import pytest
from django.apps import apps
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.architecture.source import ROOT, python_files

# customers and channels stand side by side: neither may lean on the other.
BELOW = {
    "core": set(),
    "accounts": {"core"},
    "customers": {"core", "accounts"},
    "channels": {"core", "accounts"},
    "consent": {"core", "accounts", "customers", "channels"},
    "campaigns": {"core", "accounts", "customers", "channels", "consent"},
    "reporting": {"core", "accounts", "customers", "channels", "consent", "campaigns"},
}


def test_no_import_goes_upwards(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports() == EXIT_STATUS_SUCCESS, "run `uv run lint-imports` to see which"


@pytest.mark.parametrize("label", BELOW)
def test_no_foreign_key_goes_upwards(label):
    wrong = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model is not None
        if (target := field.related_model._meta.app_label) in BELOW and target not in BELOW[label] | {label}
    ]
    assert not wrong


def test_core_has_no_models():
    assert not list(apps.get_app_config("core").get_models())


def test_no_file_is_named_after_a_layer():
    forbidden = {"services.py", "utils.py", "helpers.py", "selectors.py"}
    assert not [path for path in python_files() if path.name in forbidden]


def test_only_interfaces_read_the_clock():
    """`clock.now()` and `timezone.now()` in domain modules would make time something that happens to them."""
    interfaces = (
        "views",
        "templatetags",
        "tasks",
        "commands",
        "accounts/access.py",  # the guard of every view: it judges the moment of the request
        "imports/command.py",
        "consent/purposes.py",  # its one reading is the handler of post_migrate
        "admin",
        "api",
        "counterparts",
        "adapters",
        "clock.py",
        "demo",
        "config",
    )
    wrong = []
    for path in python_files("apps"):
        if any(part in str(path) for part in interfaces):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"clock.now", "timezone.now", "datetime.now"}:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong
