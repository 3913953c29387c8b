"""Ctrl-C, SIGTERM and a closed terminal all end in the same orderly way: as an exception that unwinds the stack."""

import signal
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """We were asked to end; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def raise_interrupted(number: int, _frame: FrameType | None) -> None:
    """The first signal unwinds the stack. Later ones do not break that off, since it has time limits of its own."""
    for ending in ENDING:
        signal.signal(ending, signal.SIG_IGN)
    raise Interrupted(number)


def end_in_order() -> None:
    """Install the handlers, also where a background shell had the signals ignored."""
    for number in ENDING:
        signal.signal(number, raise_interrupted)
