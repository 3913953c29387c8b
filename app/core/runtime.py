"""The runtime holds pools, keys and gateways for the whole life of a process. Each process builds one."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from app.core.auth.passwords import PasswordHasher
from app.core.auth.proxies import TrustedProxies
from app.core.auth.throttle import Throttle
from app.core.auth.tokens import SigningKeys, TokenService
from app.core.composition import Composition
from app.core.config import Settings
from app.core.db.pool import ConnectionSource, create_engine
from app.core.db.system import SystemUnitOfWork
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.files import write_atomically
from app.core.gateways import Gateways
from app.core.keys import SECRET_BYTES, Keyring
from app.core.outbound.breaker import Breakers
from app.core.outbox.feed import Feed
from app.core.permissions import Principal
from app.core.pools import close_pools
from app.core.sessions.gate import AccessGate
from app.core.sessions.shared_refreshes import SharedRefreshes
from app.core.settings import UnusableSettings
from app.core.storage.gateway import OBJECT_STORE, ObjectStore

APP_STATEMENT_SECONDS = 8
"""The app role's statement_timeout is 5 s: only a server that no longer answers gets here."""


@dataclass(slots=True)
class Runtime:
    settings: Settings
    composition: Composition
    database: ConnectionSource
    system: ConnectionSource
    redis: Redis | None
    keys: Keyring
    tokens: TokenService
    passwords: PasswordHasher
    gate: AccessGate
    refreshes: SharedRefreshes
    throttle: Throttle
    proxies: TrustedProxies
    feed: Feed
    breakers: Breakers = field(default_factory=Breakers)
    is_stopping: bool = False
    on_publish: Callable[[], None] | None = None
    gateways: Gateways = field(init=False)

    def __post_init__(self) -> None:
        self.gateways = Gateways(self, self.composition.held)

    @property
    def objects(self) -> ObjectStore:
        return self.gateways.get(OBJECT_STORE)

    def announce_stop(self) -> None:
        """Readiness is 503 from now on, so that the balancer sends no more requests."""
        self.is_stopping = True

    def unit_of_work(self, principal: Principal) -> UnitOfWork:
        return UnitOfWork(self.database, principal, self.keys, self.on_publish)

    def read_unit_of_work(self, principal: Principal) -> ReadUnitOfWork:
        return ReadUnitOfWork(self.database, principal)

    def system_unit_of_work(self) -> SystemUnitOfWork:
        return SystemUnitOfWork(self.system)

    async def close(self) -> None:
        """Closes gateways first, because some use the connections. Raises ExceptionGroup after the rest is closed."""
        try:
            await self.gateways.close()
        finally:
            await self.database.dispose()
            await self.system.dispose()
            if self.redis is not None:
                await self.redis.aclose()
            await close_pools()


def build_runtime(settings: Settings, composition: Composition) -> Runtime:
    """A runtime that has opened nothing yet. Connections and gateways are opened at their first use.

    Raises UnusableSettings for a file of keys that cannot be used.
    """
    database = ConnectionSource(
        create_engine(
            settings.database_url.get_secret_value(),
            pool_size=settings.database_pool_size,
            application_name="fusionems-app",
            statement_seconds=APP_STATEMENT_SECONDS,
        )
    )
    system_url = settings.system_database_url or settings.database_url
    system = ConnectionSource(
        create_engine(system_url.get_secret_value(), pool_size=5, application_name="fusionems-system")
    )
    redis = None
    if settings.redis_url is not None:
        redis = Redis.from_url(
            settings.redis_url.get_secret_value(), socket_timeout=2, socket_connect_timeout=2, decode_responses=True
        )
    keys = load_keyring(settings)
    return Runtime(
        settings=settings,
        composition=composition,
        database=database,
        system=system,
        redis=redis,
        keys=keys,
        tokens=TokenService(_signing_keys(settings), seconds=settings.access_token_seconds, issuer=settings.jwt_issuer),
        passwords=PasswordHasher(settings.password_rounds),
        gate=AccessGate(system, token_seconds=settings.access_token_seconds),
        refreshes=SharedRefreshes(),
        throttle=Throttle(redis, keys, address_failures=settings.address_failures),
        proxies=TrustedProxies(settings.forwarded_allow_ips),
        feed=Feed(redis, redis_channel(settings, "events")),
    )


def redis_channel(settings: Settings, purpose: str) -> str:
    """A name of this database in Redis, because several installations may share one."""
    return f"fusionems:{purpose}:{make_url(settings.database_url.get_secret_value()).database}"


def _signing_keys(settings: Settings) -> SigningKeys:
    if settings.jwt_keys_file is not None:
        try:
            return SigningKeys.load(settings.jwt_keys_file)
        except (OSError, ValueError):
            problem = "JWT_KEYS_FILE must name a JSON file {active, keys: {kid: PEM}} of ES256 keys."
            raise UnusableSettings([problem]) from None
    return SigningKeys.model_validate(
        development_secret(settings.data_dir, "jwt_keys", lambda: SigningKeys.generate().model_dump())
    )


def load_keyring(settings: Settings) -> Keyring:
    """The keyring of SECRET_KEY; in development that key is kept in the data directory."""
    if settings.secret_key is not None:
        encoded = settings.secret_key.get_secret_value()
    else:
        encoded = development_secret(settings.data_dir, "secret_key", _new_secret_key)
    return Keyring(base64.b64decode(encoded, validate=True))


def _new_secret_key() -> str:
    return base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def development_secret(data_dir: Path, name: str, make: Callable[[], Any]) -> Any:
    """A secret from `<data dir>/dev-secrets.json` (mode 0600), made if absent. Processes that race get the same one."""
    file = data_dir / "dev-secrets.json"
    data_dir.mkdir(parents=True, exist_ok=True)
    with _exclusive(data_dir / ".dev-secrets.lock"):
        held: dict[str, Any] = orjson.loads(file.read_bytes()) if file.exists() else {}
        if name not in held:
            held[name] = make()
            write_atomically(file, orjson.dumps(held))
        return held[name]


@contextlib.contextmanager
def _exclusive(file: Path) -> Any:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
