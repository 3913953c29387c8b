"""Which port a server gets."""

import socket
from collections.abc import Iterator

import pytest

from scripts.devtools import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((ports.LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def test_the_asked_port_is_kept_even_if_taken(taken: int) -> None:
    assert ports.choose(taken, None) == taken


def test_the_remembered_port_is_used_again_while_free(taken: int) -> None:
    free = ports.any_free()
    assert ports.is_free(free)
    assert ports.choose(None, free) == free
    assert not ports.is_free(taken)
    assert ports.choose(None, taken) != taken


def test_without_memory_any_free_port(taken: int) -> None:
    assert ports.is_free(ports.choose(None, None))
