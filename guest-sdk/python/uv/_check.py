"""Checks of arguments: every function raises the same exceptions for the same mistakes."""

from __future__ import annotations

import operator
from typing import SupportsIndex, TypeVar

_T = TypeVar("_T")


def integer(value: SupportsIndex, what: str) -> int:
    """Returns an integer. `TypeError` for any other type, including float."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an int, not {type(value).__name__}") from None


def unsigned(value: SupportsIndex, what: str, bits: int) -> int:
    """Returns a non-negative integer. `ValueError` if it is negative, `OverflowError` if it has
    more than ``bits`` bits."""
    number = integer(value, what)
    if number < 0:
        raise ValueError(f"{what} must not be negative, and is {number}")
    if number >> bits:
        raise OverflowError(f"{what} must be below 2**{bits}, and is {number}")
    return number


def callback(value: _T, what: str = "the callback") -> _T:
    """Returns a callable or None. `TypeError` for anything else."""
    if value is not None and not callable(value):
        raise TypeError(f"{what} must be callable or None, not {type(value).__name__}")
    return value
