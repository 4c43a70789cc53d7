"""How the modules of the tests depend on each other."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent


def imported_modules(path: Path) -> set[str]:
    """Return the modules that a file imports, or imports from."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    sources = [(node.module or "", node.names) for node in nodes if isinstance(node, ast.ImportFrom)]
    return plain | {f"{module}.{alias.name}" for module, names in sources for alias in names}


def test_no_module_imports_from_a_test_module():
    """Shared code is in helpers and fixtures, so that a test module can be moved, split or run alone."""
    imports = [(path, module) for path in TESTS.rglob("*.py") for module in imported_modules(path)]
    assert ("tests.client.Client", True) in {(module, path.name == "conftest.py") for path, module in imports}
    wrong = [
        f"{path.relative_to(TESTS)} imports {module}"
        for path, module in imports
        if module.startswith("tests.") and any(part.startswith("test_") for part in module.split("."))
    ]
    assert wrong == []
