"""Packages whose public names are imported at their first use (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def lazy_names(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package; its modules are imported at their first use, too.

    Args:
        package: `__name__` of the package.
        modules: the module of each public name. No name may equal that of a module of the package, since an import of
            that module would set it as the package's attribute.
    """

    def get(name: str) -> Any:
        if name in modules:
            try:
                value = getattr(import_module(f"{package}.{modules[name]}"), name)
            except ModuleNotFoundError as error:
                raise ImportError(explain_missing(error, f"{package}.{name}")) from error
            setattr(sys.modules[package], name, value)
            return value
        if not name.startswith("_") and find_spec(f"{package}.{name}") is not None:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return get, names


def explain_missing(error: ModuleNotFoundError, what: str) -> str:
    """Return a message about a package that is not installed.

    Args:
        error: the error of the import.
        what: what needs the package.
    """
    return f"{what} needs {error.name}, which is not installed: install it, or hf-spo without --no-deps"
