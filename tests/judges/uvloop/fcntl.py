"""The module is missing in the sandbox, and uvloop's tests import it."""
