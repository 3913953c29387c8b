"""What a claim file costs: claims checked and written as 837P, beside pyx12's reading of the same files.

`make bench ARGS=billing` checks and writes 10,000 claims of many kinds, `--claims 1000` fewer. The figures are CPU time
of one core, so other load on the machine changes them little. It exits with 1 when a file is refused by pyx12, or when
memory grows from file to file.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from app.billing.claims.content import draft_submission
from app.billing.claims.submission import transmission
from app.billing.exports.formats import FORMATS
from app.billing.exports.models import ClaimFileFormat
from app.billing.exports.schemas import MAX_CLAIMS
from app.billing.x12.professional_claim import ClaimSubmission
from tests.billing.support.drafts import AT, agency_profile
from tests.billing.support.generated import Generated, generated_claims
from tests.billing.x12.judge import judge_837p

R = TypeVar("R")
FLAT_KIB = 16_384
"""Files after the second may not add more to the peak of memory."""


@dataclass
class Costs:
    """CPU seconds."""

    checked: float = 0.0
    written: float = 0.0
    judged: float = 0.0


def timed(work: Callable[[], R]) -> tuple[R, float]:
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


def check(batch: Sequence[Generated]) -> list[ClaimSubmission]:
    """The claims as the writer takes them. Raises SystemExit if one may not be sent."""
    drafted = [draft_submission(one.profile, one.chart, one.claim, one.lines, AT) for one in batch]
    if any(draft.problems for draft in drafted):
        raise SystemExit("a generated claim is refused")
    return [draft.submission for draft in drafted]


def batches(claims: int) -> Iterator[Sequence[Generated]]:
    """The claims of each file, made one file at a time."""
    for seed, start in enumerate(range(0, claims, MAX_CLAIMS)):
        yield list(generated_claims(seed, min(MAX_CLAIMS, claims - start)))


def measure(claims: int, judged_files: int) -> tuple[Costs, int, int]:
    """The costs, the number of claims in judged files, and by how many KiB memory grew after the second file.

    pyx12 is slow and keeps its maps, so it reads some of the files only, after memory was measured.
    """
    adapter, costs = FORMATS[ClaimFileFormat.X12_837P], Costs()
    kept: list[bytes] = []
    settled = 0
    for number, batch in enumerate(batches(claims), start=1):
        submissions, seconds = timed(partial(check, batch))
        costs.checked += seconds
        sent = transmission(agency_profile(), number, "T", AT)
        content, seconds = timed(partial(adapter.render, sent, submissions))
        costs.written += seconds
        if len(kept) < judged_files:
            kept.append(content)
        if number <= 2:
            settled = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - settled
    for content in kept:
        errors, seconds = timed(partial(judge_837p, content.decode("ascii")))
        costs.judged += seconds
        if errors:
            raise SystemExit(f"pyx12 refuses a file: {errors[0]}")
    return costs, sum(content.count(b"\nCLM*") for content in kept), grown


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--judged-files", type=int, default=2)
    wishes = parser.parse_args(arguments)
    costs, judged, grown = measure(wishes.claims, wishes.judged_files)
    checked, written = costs.checked / wishes.claims, costs.written / wishes.claims
    print(f"checked {checked * 1e6:.0f} µs a claim, written {written * 1e6:.0f} µs")
    print(f"{1 / (checked + written):.0f} claims a second and core")
    print(f"pyx12 reads {judged / costs.judged:.0f} claims a second of the same files, and accepts them")
    print(f"memory grew by {grown} KiB from the third file to the last")
    return 0 if grown <= FLAT_KIB else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
