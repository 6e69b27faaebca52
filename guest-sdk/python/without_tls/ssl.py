"""A stand-in for Python's module ``ssl``, for libraries that import it whether they use it or not.

There is no TLS in the sandbox, and no module ``ssl`` unless this directory is on the module path. The
names are here so that annotations and ``except`` clauses work. Everything that would make a context
or a connection raises ``SSLError``.
"""

from __future__ import annotations

import enum
import socket
from typing import Any, NoReturn

OPENSSL_VERSION = "none"
OPENSSL_VERSION_INFO = (0, 0, 0, 0, 0)
OPENSSL_VERSION_NUMBER = 0
HAS_SNI = HAS_ALPN = HAS_TLSv1_2 = HAS_TLSv1_3 = False
OP_ALL = OP_NO_SSLv2 = OP_NO_SSLv3 = OP_NO_COMPRESSION = OP_NO_TICKET = 0
OP_IGNORE_UNEXPECTED_EOF = 0


class VerifyMode(enum.IntEnum):
    CERT_NONE = 0
    CERT_OPTIONAL = 1
    CERT_REQUIRED = 2


CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = VerifyMode


class TLSVersion(enum.IntEnum):
    MINIMUM_SUPPORTED = -2
    MAXIMUM_SUPPORTED = -1
    TLSv1_2 = 771
    TLSv1_3 = 772


class Purpose(enum.Enum):
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"


class SSLError(OSError):
    """An error of TLS."""


class SSLZeroReturnError(SSLError):
    """The connection was closed."""


class SSLWantReadError(SSLError):
    """More data is needed."""


class SSLWantWriteError(SSLError):
    """Data has to be sent first."""


class SSLSyscallError(SSLError):
    """A call of the system failed."""


class SSLEOFError(SSLError):
    """The connection ended without TLS's own ending."""


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate is not valid."""


CertificateError = SSLCertVerificationError


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise SSLError("there is no TLS in the sandbox")


class SSLContext:
    """Cannot be made."""

    __init__ = _refuse


class MemoryBIO:
    """Cannot be made."""

    __init__ = _refuse


class SSLObject:
    """Cannot be made."""

    __init__ = _refuse


class SSLSocket(socket.socket):
    """Cannot be made."""

    __init__ = _refuse


create_default_context = get_server_certificate = _refuse
