"""The ledger's accounts, and which of them each kind of entry moves money between."""

from __future__ import annotations

from enum import StrEnum


class Account(StrEnum):
    """Receivables say what is still owed and by whom. Every other account says where money came from or went."""

    PAYER = "payer_receivable"
    NEXT_PAYER = "next_payer_receivable"
    PATIENT = "patient_receivable"
    DENIED = "denied_receivable"
    CHARGES = "charges"
    PAYER_CASH = "payer_cash"
    PATIENT_CASH = "patient_cash"
    CONTRACTUAL = "contractual_adjustments"
    OTHER = "other_adjustments"
    WRITTEN_OFF = "written_off"
    INTEREST = "interest"
    PAYER_BALANCES = "payer_balances"


RECEIVABLES = (Account.PAYER, Account.NEXT_PAYER, Account.PATIENT, Account.DENIED)


class EntryKind(StrEnum):
    """What an entry is. A reversal is an entry of the same kind in the other direction."""

    CHARGE = "charge"
    PAYMENT = "payment"
    CONTRACTUAL = "contractual"
    OTHER_ADJUSTMENT = "other_adjustment"
    PATIENT_RESPONSIBILITY = "patient_responsibility"
    DENIAL = "denial"
    PATIENT_PAYMENT = "patient_payment"
    SELF_PAY = "self_pay"
    WRITE_OFF = "write_off"
    REFUND = "refund"
    INTEREST = "interest"
    PROVIDER_ADJUSTMENT = "provider_adjustment"


_A, _K = Account, EntryKind
_DECIDED_FOR = (_A.PAYER, _A.NEXT_PAYER)

MOVEMENTS: dict[EntryKind, tuple[tuple[Account, Account], ...]] = {
    _K.CHARGE: ((_A.PAYER, _A.CHARGES),),
    _K.PAYMENT: tuple((_A.PAYER_CASH, owed) for owed in _DECIDED_FOR),
    _K.CONTRACTUAL: tuple((_A.CONTRACTUAL, owed) for owed in _DECIDED_FOR),
    _K.OTHER_ADJUSTMENT: tuple((_A.OTHER, owed) for owed in _DECIDED_FOR),
    _K.PATIENT_RESPONSIBILITY: (
        (_A.PATIENT, _A.PAYER),
        (_A.NEXT_PAYER, _A.PAYER),
        (_A.PATIENT, _A.NEXT_PAYER),
    ),
    _K.DENIAL: tuple((_A.DENIED, owed) for owed in _DECIDED_FOR),
    _K.PATIENT_PAYMENT: ((_A.PATIENT_CASH, _A.PATIENT),),
    _K.SELF_PAY: ((_A.PATIENT, _A.PAYER),),
    _K.WRITE_OFF: tuple((_A.WRITTEN_OFF, owed) for owed in RECEIVABLES),
    _K.REFUND: ((_A.PAYER, _A.PAYER_CASH),),
    _K.INTEREST: ((_A.PAYER_CASH, _A.INTEREST),),
    _K.PROVIDER_ADJUSTMENT: ((_A.PAYER_CASH, _A.PAYER_BALANCES),),
}
"""(debit, credit) of each kind. Money never moves between other accounts; the table's CHECK says the same."""


def movements_check() -> str:
    """SQL: the accounts of an entry belong to its kind, in one direction or the other."""
    rows = [
        f"'{kind} {debit} {credit}'"
        for kind, pairs in MOVEMENTS.items()
        for pair in pairs
        for debit, credit in (pair, pair[::-1])
    ]
    return f"kind || ' ' || debit_account || ' ' || credit_account IN ({', '.join(rows)})"
