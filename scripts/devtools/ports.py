"""Ports on this machine: the one we had before, else one that the system says is free."""

import errno
import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True if a server could listen there now. A host that this machine cannot bind is the server's own error."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno not in {errno.EADDRINUSE, errno.EACCES}
    return True


def any_free() -> int:
    """A port that nobody listens on. Another program may take it first, so whoever uses it tries again."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def choose(asked: int | None, remembered: int | None) -> int:
    """The port that was asked for, else the one used last time while it is free, else any free one."""
    if asked is not None:
        return asked
    if remembered is not None and is_free(remembered):
        return remembered
    return any_free()
