"""Clearinghouses as a kind of reference record."""

from __future__ import annotations

from collections.abc import Iterator

from app.billing.clearinghouses.models import Clearinghouse, DeliveryChannel
from app.billing.clearinghouses.schemas import ClearinghouseCreate, ClearinghousePatch, ClearinghouseRead
from app.billing.permissions import CLEARINGHOUSE_READ, CLEARINGHOUSE_WRITE
from app.core.audit.actions import AuditAction
from app.core.errors import Problem, refuse
from app.core.reference.kinds import ReferenceKind, Verb
from app.core.reference.schemas import Filter


class ClearinghouseAction(AuditAction):
    CREATED = "clearinghouse.created"
    REVISED = "clearinghouse.revised"
    DELETED = "clearinghouse.deleted"
    RESTORED = "clearinghouse.restored"


def _missing(clearinghouse: Clearinghouse) -> Iterator[Problem]:
    if clearinghouse.delivery is not DeliveryChannel.SFTP:
        return
    if clearinghouse.sftp_host is None:
        yield Problem.missing("sftp_host", "Say which server takes the files.")
    if clearinghouse.sftp_host_key is None:
        yield Problem.missing("sftp_host_key", "Give the server's public key: without it, any server could pose as it.")


def _check(clearinghouse: Clearinghouse) -> None:
    refuse(_missing(clearinghouse))


CLEARINGHOUSES = ReferenceKind(
    noun="clearinghouse",
    plural="clearinghouses",
    path="billing/clearinghouses",
    tag="billing",
    about="The receivers of the agency's claim files.",
    entity=Clearinghouse,
    create=ClearinghouseCreate,
    patch=ClearinghousePatch,
    read=ClearinghouseRead,
    may_read=CLEARINGHOUSE_READ,
    may_write=CLEARINGHOUSE_WRITE,
    actions={
        Verb.CREATE: ClearinghouseAction.CREATED,
        Verb.REVISE: ClearinghouseAction.REVISED,
        Verb.DELETE: ClearinghouseAction.DELETED,
        Verb.RESTORE: ClearinghouseAction.RESTORED,
    },
    filters={"name": Filter, "delivery": DeliveryChannel},
    check=_check,
)
