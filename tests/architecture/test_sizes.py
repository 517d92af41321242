"""Functions and files stay short enough to be read at once."""

import ast
import statistics
from pathlib import Path

from tests.architecture.source import ROOT, python_files

LONGEST_FUNCTION, NINE_OF_TEN, LONGEST_FILE = 50, 20, 400


def functions(path: Path) -> list[tuple[str, int]]:
    """Name and length of every function: signature, docstring and body; decorators not."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            found.append((f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1))
    return found


def test_no_function_is_over_fifty_lines():
    assert not [item for path in python_files() for item in functions(path) if item[1] > LONGEST_FUNCTION]


def test_nine_functions_of_ten_are_within_twenty_lines():
    for folder in ("apps", "config"):
        lengths = [length for path in python_files(folder) for _name, length in functions(path)]
        assert statistics.quantiles(lengths, n=10)[-1] <= NINE_OF_TEN, folder


def test_no_file_is_over_four_hundred_lines():
    others = [path for folder in ("templates", "static/js") for path in (ROOT / folder).rglob("*") if path.is_file()]
    files = python_files() + [path for path in others if path.suffix in {".html", ".js", ".txt", ".mjml"}]
    too_long = {str(path.relative_to(ROOT)): count for path in files if (count := lines(path)) > LONGEST_FILE}
    assert not too_long


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())
