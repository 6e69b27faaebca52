"""The module is missing in the sandbox, and CPython's tests import it."""
