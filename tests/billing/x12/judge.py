"""An independent judge of our 837P: pyx12's implementation-guide maps, run in this process."""

import io
import logging

from pyx12.errors import EngineError
from pyx12.params import params
from pyx12.x12n_document import x12n_document


def judge_837p(text: str) -> list[str]:
    """Every error that pyx12 finds, from envelope to element; empty means accepted.

    pyx12 loads its maps for every document: judge many claims in one. It reports each error to its logger, envelope
    elements included, which its JSON report leaves out.
    """
    log, collector = logging.getLogger("pyx12"), _Collector(logging.ERROR)
    log.addHandler(collector)
    try:
        accepted = x12n_document(params(), io.StringIO(text), None, None)
    except EngineError as error:  # no map for this version: pyx12 stops
        collector.errors.append(str(error))
        accepted = False
    finally:
        log.removeHandler(collector)
    if not accepted and not collector.errors:
        collector.errors.append("refused without a reason")
    return collector.errors


class _Collector(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(record.getMessage())
