"""Entries before they are stored, and what the stored ones of a claim come to. Pure."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from app.billing.ledger.accounts import MOVEMENTS, RECEIVABLES, Account, EntryKind

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Entry:
    """`amount` is positive in the direction that MOVEMENTS gives, from `credit` to `debit`, and negative in the other.

    It is stored positive, with the accounts exchanged where needed.
    """

    kind: EntryKind
    debit: Account
    credit: Account
    amount: Decimal
    line_id: uuid.UUID | None = None
    reason_code: str | None = None

    def __post_init__(self) -> None:
        if (self.debit, self.credit) not in MOVEMENTS[self.kind]:
            raise ValueError(f"{self.kind} does not move money between {self.credit} and {self.debit}")

    def taken_back(self) -> Entry:
        """The same entry in the other direction."""
        return Entry(self.kind, self.debit, self.credit, -self.amount, self.line_id, self.reason_code)


Key = tuple[uuid.UUID | None, EntryKind, str | None, Account, Account]


@dataclass
class Standing:
    """What a claim's entries come to, by line, kind, reason and accounts. Zero sums are absent."""

    net: dict[Key, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Standing:
        sums: defaultdict[Key, Decimal] = defaultdict(lambda: ZERO)
        for one in entries:
            sums[one.line_id, one.kind, one.reason_code, one.debit, one.credit] += one.amount
        return cls({key: amount for key, amount in sums.items() if amount})

    def entries(self) -> Iterator[Entry]:
        """One entry for each sum."""
        for (line_id, kind, reason_code, debit, credit), amount in self.net.items():
            yield Entry(kind, debit, credit, amount, line_id, reason_code)

    def of_kind(self, kind: EntryKind) -> list[Entry]:
        """The sums of one kind."""
        return [one for one in self.entries() if one.kind is kind]

    def decided_for(self, owed: Account) -> list[Entry]:
        """What payers decided about the amount on one receivable, and nobody took back."""
        return [one for one in self.entries() if one.credit is owed and one.kind in DECISIONS]

    def balance(self, account: Account) -> Decimal:
        """Debits less credits."""
        debited = (one.amount for one in self.entries() if one.debit is account)
        credited = (-one.amount for one in self.entries() if one.credit is account)
        return sum((*debited, *credited), ZERO)

    def balances(self) -> dict[Account, Decimal]:
        """Of each account that the claim has moved."""
        moved = {account for one in self.entries() for account in (one.debit, one.credit)}
        return {account: self.balance(account) for account in Account if account in moved}

    def outstanding(self) -> Decimal:
        """What anybody still owes. Negative: somebody paid too much."""
        return sum((self.balance(account) for account in RECEIVABLES), ZERO)


DECISIONS = frozenset(
    {
        EntryKind.PAYMENT,
        EntryKind.CONTRACTUAL,
        EntryKind.OTHER_ADJUSTMENT,
        EntryKind.PATIENT_RESPONSIBILITY,
        EntryKind.DENIAL,
    }
)


def charge_changes(standing: Standing, charges: dict[uuid.UUID, Decimal]) -> list[Entry]:
    """The entries that make the ledger's charges those of the lines."""
    charged: defaultdict[uuid.UUID | None, Decimal] = defaultdict(lambda: ZERO)
    for one in standing.entries():
        if one.kind is EntryKind.CHARGE:
            charged[one.line_id] += one.amount
    due = {line_id: charges.get(line_id, ZERO) if line_id else ZERO for line_id in (*charges, *charged)}
    return [
        Entry(EntryKind.CHARGE, Account.PAYER, Account.CHARGES, amount - charged[line_id], line_id)
        for line_id, amount in due.items()
        if amount != charged[line_id]
    ]
