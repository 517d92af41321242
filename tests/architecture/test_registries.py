"""One rule, one module, one test file; one adapter, one folder, one place in the contract test."""

import importlib
import inspect
import pkgutil

from apps.campaigns.conflicts import rules
from apps.campaigns.conflicts.registry import RULES
from apps.channels import adapters
from apps.channels.adapters.base import Adapter
from apps.channels.registry import ADAPTERS
from tests.architecture.source import ROOT


def modules(package):
    return [
        importlib.import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
    ]


def test_every_conflict_rule_is_registered_once_says_what_it_finds_and_has_its_tests():
    registered = [type(rule) for rule in RULES]
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    for module in modules(rules):
        own = [kind for kind in registered if kind.__module__ == module.__name__]
        name = module.__name__.rpartition(".")[2]
        assert own, f"{module.__name__} is not registered in conflicts/registry.py"
        assert all(inspect.getdoc(kind) for kind in own), f"{module.__name__} does not say what it finds"
        assert (ROOT / "tests/campaigns/conflicts/rules" / f"test_{name}.py").exists(), f"{name} has no test file"


def test_every_adapter_is_registered_and_under_the_contract():
    for module in modules(adapters):
        found = [
            kind
            for _name, kind in inspect.getmembers(module, inspect.isclass)
            if issubclass(kind, Adapter)
            and not inspect.isabstract(kind)
            and kind.__module__.startswith(module.__name__)
        ]
        missing = [kind.__name__ for kind in found if kind not in ADAPTERS]
        assert not missing, f"{missing} of {module.__name__} are not registered in channels/registry.py"
    assert len({adapter.code for adapter in ADAPTERS}) == len(ADAPTERS)
    contract = (ROOT / "tests/channels/test_adapter_contract.py").read_text()
    assert "ADAPTERS" in contract, "the contract test has to run over every registered adapter"
