"""The table of transports: what is charted, and the claim that the rules make of it.

It was written from the rules alone, before the service derived anything. An expected value follows from the sources of
its row. A row is changed only with a source that says otherwise, named in the commit. Sources: *reference* and *facts*
are `x12/REFERENCE.md` and `x12/FACTS.md` of the reference material; E01 to E60 are the edits of reference 6.
A *requirement* is one of this service.
"""

from __future__ import annotations

from tests.billing.derivation.facts import Transport
from tests.billing.derivation.levels import LEVEL_ROWS
from tests.billing.derivation.miles import MILE_ROWS
from tests.billing.derivation.parties import PARTY_ROWS
from tests.billing.derivation.places import PLACE_ROWS

TRANSPORTS: tuple[Transport, ...] = (*LEVEL_ROWS, *MILE_ROWS, *PLACE_ROWS, *PARTY_ROWS)
