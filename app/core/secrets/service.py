"""Sets secrets, uses them, and encrypts them again. No transaction is open during a request for a key."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from fastapi import Depends
from pydantic import SecretStr

from app.core.audit.actions import AuditAction
from app.core.audit.writer import record
from app.core.clock import utcnow
from app.core.dependencies import CurrentUser, RuntimeDependency
from app.core.errors import AlreadyExists, Conflict, NotFound, ValidationFailed
from app.core.ids import TenantId, new_id
from app.core.logging import get_logger
from app.core.permissions import Principal
from app.core.repository import require_version
from app.core.runtime import Runtime
from app.core.secrets.errors import SecretNotSet, SecretUnreadable, TwoVersionsValid, VersionIsCurrent
from app.core.secrets.gateway import SECRET_KEYS, KeyEncryption
from app.core.secrets.kinds import SecretKind
from app.core.secrets.models import TenantSecret
from app.core.secrets.permissions import SECRET_READ, SECRET_WRITE
from app.core.secrets.repository import SecretRepository
from app.core.secrets.schemas import SecretList, SecretRead, SecretVersionRead
from app.core.secrets.sealing import Place, is_under_active_key, seal, unseal

_log = get_logger(__name__)


class SecretAction(AuditAction):
    CREATED = "secret.created"
    ROTATED = "secret.rotated"
    RETIRED = "secret.retired"
    DELETED = "secret.deleted"
    USED = "secret.used"
    REWRAPPED = "secret.rewrapped"


@dataclass(frozen=True, slots=True)
class SecretValue:
    """One valid version of a secret. Neither its `repr` nor its `str` shows the value."""

    number: int
    value: SecretStr = field(repr=False)

    def reveal(self) -> str:
        return self.value.get_secret_value()


class Rewrapped(NamedTuple):
    """The number of secrets that were encrypted again, and the ids of those that could not be."""

    done: int
    failed: list[uuid.UUID]


class SecretService:
    """The operations of administrators on the secrets of their agency."""

    def __init__(self, runtime: Runtime, principal: Principal) -> None:
        self._runtime = runtime
        self._principal = principal

    async def list_all(self) -> SecretList:
        """Every kind that the service knows, in the order of its list. Raises Forbidden."""
        self._principal.require(SECRET_READ)
        async with self._runtime.read_unit_of_work(self._principal) as uow:
            secrets = SecretRepository(uow)
            found = {secret.name: secret for secret in await secrets.list_all(uow.tenant_id)}
            used = await secrets.list_last_audited(
                uow.tenant_id, [secret.id for secret in found.values()], SecretAction.USED
            )
        items = []
        for kind in self._runtime.composition.secret_kinds:
            secret = found.get(kind.name)
            items.append(_present(kind, secret, None if secret is None else used.get(secret.id)))
        return SecretList(items=items)

    async def create(self, name: str, value: SecretStr) -> SecretRead:
        """Set the first version. Raises Forbidden, ValidationFailed (name, value), AlreadyExists."""
        self._principal.require(SECRET_WRITE)
        kind = self._runtime.composition.find_secret_kind(name)
        if kind is None:
            raise ValidationFailed.of("name", "unknown_secret", "The service takes no secret of this name.")
        _require_usable(kind, value)
        place = Place(self._principal.tenant_id, new_id(), name, 1)
        sealed = await self._seal(place, value)
        async with self._runtime.unit_of_work(self._principal) as uow:
            if await SecretRepository(uow).find_by_name(uow.tenant_id, name) is not None:
                raise AlreadyExists("This secret is set already; rotate it.", field="name")
            secret = TenantSecret(
                id=place.secret_id,
                tenant_id=uow.tenant_id,
                name=name,
                current_sealed=sealed,
                current_set_at=utcnow(),
            )
            await uow.create(secret, SecretAction.CREATED)
        return _present(kind, secret, None)

    async def rotate(self, name: str, value: SecretStr, version: int) -> SecretRead:
        """Make `value` the current version. The previous one stays valid until it is retired.

        Raises Forbidden, NotFound (not set), Conflict (stale), TwoVersionsValid, ValidationFailed (value).
        """
        kind, secret = await self._at_hand(name, version)
        _require_usable(kind, value)
        if secret.previous_number is not None:
            raise TwoVersionsValid
        number = secret.current_number + 1
        sealed = await self._seal(_place(secret, number), value)
        return await self._change(kind, version, SecretAction.ROTATED, lambda stored: _rotate(stored, number, sealed))

    async def retire(self, name: str, number: int, version: int) -> None:
        """End the validity of the previous version.

        Raises Forbidden, NotFound (not valid), Conflict (stale), VersionIsCurrent.
        """
        kind, secret = await self._at_hand(name, version)
        if number == secret.current_number:
            raise VersionIsCurrent
        if number != secret.previous_number:
            raise NotFound
        await self._change(kind, version, SecretAction.RETIRED, _retire)

    async def delete(self, name: str, version: int) -> None:
        """Remove every version. Raises Forbidden, NotFound, Conflict (stale)."""
        kind, _ = await self._at_hand(name, version)
        await self._change(kind, version, SecretAction.DELETED, _delete)

    async def _at_hand(self, name: str, version: int) -> tuple[SecretKind, TenantSecret]:
        """The stored row, read before the request for the key. `_change` checks that its version is still the same."""
        self._principal.require(SECRET_WRITE)
        kind = self._runtime.composition.find_secret_kind(name)
        if kind is None:
            raise NotFound
        async with self._runtime.read_unit_of_work(self._principal) as uow:
            secret = await SecretRepository(uow).find_by_name(uow.tenant_id, name)
        if secret is None:
            raise NotFound
        require_version(secret, version)
        return kind, secret

    async def _change(
        self, kind: SecretKind, version: int, action: SecretAction, apply: Callable[[TenantSecret], None]
    ) -> SecretRead:
        async with self._runtime.unit_of_work(self._principal) as uow:
            secrets = SecretRepository(uow)
            secret = await secrets.find_by_name_for_update(uow.tenant_id, kind.name)
            if secret is None:
                raise NotFound
            require_version(secret, version)
            async with uow.change(secret, action):
                apply(secret)
            used = await secrets.list_last_audited(uow.tenant_id, [secret.id], SecretAction.USED)
        return _present(kind, secret, used.get(secret.id))

    async def _seal(self, place: Place, value: SecretStr) -> str:
        keys = await self._runtime.gateways.reach(SECRET_KEYS)
        return await seal(keys, place, value.get_secret_value())


async def use_secret(
    runtime: Runtime, principal: Principal, kind: SecretKind, *, purpose: str
) -> tuple[SecretValue, ...]:
    """The valid versions, newest first. Send the first one; accept what any of them verifies.

    `purpose` is a constant of the caller. The audit log keeps it, and no value is returned without that entry.
    Raises SecretNotSet, SecretUnreadable, and ServiceUnavailable while the key is out of reach.
    """
    async with runtime.read_unit_of_work(principal) as uow:
        secret = await SecretRepository(uow).find_by_name(uow.tenant_id, kind.name)
    if secret is None:
        raise SecretNotSet(name=kind.name)
    keys = await runtime.gateways.reach(SECRET_KEYS)
    values = tuple(
        [
            SecretValue(number, SecretStr(await unseal(keys, _place(secret, number), sealed)))
            for number, sealed in _sealed(secret)
        ]
    )
    async with runtime.unit_of_work(principal) as uow:
        metadata = {"name": kind.name, "purpose": purpose, "versions": [value.number for value in values]}
        await record(
            uow, SecretAction.USED, entity_type=TenantSecret.entity_type, entity_id=secret.id, metadata=metadata
        )
    return values


async def rewrap_secrets(runtime: Runtime, principal: Principal) -> Rewrapped:
    """Encrypt those of the agency's secrets that are not under the active key. A second run finds none.

    A secret that cannot be decrypted, or that was changed meanwhile, does not stop the others. Raises
    ServiceUnavailable while a key is out of reach.
    """
    keys = await runtime.gateways.reach(SECRET_KEYS)
    async with runtime.read_unit_of_work(principal) as uow:
        found = await SecretRepository(uow).list_all(uow.tenant_id)
    done, failed = 0, []
    for secret in found:
        try:
            if all(is_under_active_key(keys, sealed) for _, sealed in _sealed(secret)):
                continue
            await _rewrap(runtime, principal, keys, secret)
            done += 1
        except (SecretUnreadable, Conflict) as error:
            _log.warning("secret not encrypted anew", entity_id=str(secret.id), error_code=error.code)
            failed.append(secret.id)
    return Rewrapped(done, failed)


async def _rewrap(runtime: Runtime, principal: Principal, keys: KeyEncryption, secret: TenantSecret) -> None:
    anew: dict[int, str] = {}
    for number, sealed in _sealed(secret):
        place = _place(secret, number)
        anew[number] = await seal(keys, place, await unseal(keys, place, sealed))
    async with runtime.unit_of_work(principal) as uow, uow.change(secret, SecretAction.REWRAPPED):
        secret.current_sealed = anew[secret.current_number]
        if secret.previous_number is not None:
            secret.previous_sealed = anew[secret.previous_number]


def _place(secret: TenantSecret, number: int) -> Place:
    return Place(TenantId(secret.tenant_id), secret.id, secret.name, number)


def _sealed(secret: TenantSecret) -> list[tuple[int, str]]:
    """The valid versions, newest first."""
    versions = ((secret.current_number, secret.current_sealed), (secret.previous_number, secret.previous_sealed))
    return [(number, sealed) for number, sealed in versions if number is not None and sealed is not None]


def _require_usable(kind: SecretKind, value: SecretStr) -> None:
    problem = None if kind.problem is None else kind.problem(value.get_secret_value())
    if problem is not None:
        raise ValidationFailed.of("value", "unusable_secret", problem)


def _rotate(secret: TenantSecret, number: int, sealed: str) -> None:
    secret.previous_number = secret.current_number
    secret.previous_sealed = secret.current_sealed
    secret.previous_set_at = secret.current_set_at
    secret.current_number, secret.current_sealed, secret.current_set_at = number, sealed, utcnow()


def _retire(secret: TenantSecret) -> None:
    secret.previous_number = secret.previous_sealed = secret.previous_set_at = None


def _delete(secret: TenantSecret) -> None:
    _retire(secret)
    secret.current_sealed = None
    secret.deleted_at = utcnow()


def _present(kind: SecretKind, secret: TenantSecret | None, last_used_at: dt.datetime | None) -> SecretRead:
    versions = []
    if secret is not None:
        versions.append(SecretVersionRead(number=secret.current_number, set_at=secret.current_set_at, is_current=True))
        if secret.previous_number is not None and secret.previous_set_at is not None:
            previous = SecretVersionRead(number=secret.previous_number, set_at=secret.previous_set_at, is_current=False)
            versions.append(previous)
    return SecretRead(
        name=kind.name,
        description=kind.description,
        id=None if secret is None else secret.id,
        version=None if secret is None else secret.version,
        versions=versions,
        last_used_at=last_used_at,
    )


async def secret_service(runtime: RuntimeDependency, principal: CurrentUser) -> SecretService:
    return SecretService(runtime, principal)


Secrets = Annotated[SecretService, Depends(secret_service)]
