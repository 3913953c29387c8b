"""Transactions and lifecycles."""

SERVICE = "app/billing/claims/service.py"
UOW = "app/core/db/uow.py"
LIFECYCLE = "app/core/lifecycle.py"

REFUSED = [
    (
        "FQ101",
        SERVICE,
        "async def f(session):\n    await session.commit()  # here\n    await session.rollback()  # here",
    ),
    ("FQ101", SERVICE, "async def f(lease):\n    await lease.conn.execute('COMMIT')  # here"),
    ("FQ101", SERVICE, "async def f(conn):\n    await conn.execute('select 1; rollback')  # here"),
    ("FQ101", SERVICE, "import sqlalchemy as sa\nEND = sa.text('  end;')  # here"),
    ("FQ101", "app/core/db/system.py", "async def f(conn):\n    await conn.execute(query='BEGIN')  # here"),
    ("FQ101", "scripts/seed.py", "def f(connection):\n    connection.commit()  # here"),
    ("FQ102", SERVICE, "async def f(engine):\n    async with engine.begin() as c:  # here\n        await c.execute(q)"),
    ("FQ102", "app/core/jobs/queue.py", "async def f(c):\n    async with c.transaction():  # here\n        pass"),
    ("FQ103", SERVICE, "claim.status = ClaimStatus.PAID  # here"),
    ("FQ103", SERVICE, "self.claim.status: ClaimStatus = ClaimStatus.PAID  # here"),
    ("FQ103", SERVICE, "claim.version, claim.status = 2, ClaimStatus.PAID  # here"),
    ("FQ103", SERVICE, "setattr(claim, 'status', ClaimStatus.PAID)  # here"),
    ("FQ103", SERVICE, "object.__setattr__(claim, 'status', ClaimStatus.PAID)  # here"),
    ("FQ103", SERVICE, "claim.__dict__['status'] = ClaimStatus.PAID  # here"),
    ("FQ103", "app/billing/claims/repository.py", "stmt = sa.update(claims).values(status='paid')  # here"),
    ("FQ103", "app/billing/claims/repository.py", "stmt = sa.update(claims).values({'status': 'paid'})  # here"),
    ("FQ104", SERVICE, "from app.billing.claims.models import Claim\nx = Claim(payer='a', status='paid')  # here"),
    ("FQ104", SERVICE, "from app.billing.claims import models\nx = models.Claim(status='paid')  # here"),
    ("FQ104", SERVICE, "from .models import Claim\nx = Claim(status='paid')  # here"),
    ("FQ105", "app/billing/claims/schemas.py", "class ClaimPatch(VersionedPatch):\n    status: ClaimStatus  # here"),
    ("FQ105", "app/billing/claims/schemas.py", "class ClaimCreate(Base):\n    status: str = 'paid'  # here"),
    ("FQ101", SERVICE, "async def f(conn):\n    await conn.exec_driver_sql('COMMIT')  # here"),
    ("FQ102", SERVICE, "async def f(session):\n    async with session.begin_nested():  # here\n        pass"),
]
ACCEPTED = [
    ("FQ101", UOW, "async def commit(self):\n    await self.lease.conn.execute('COMMIT')\n    await super().commit()"),
    ("FQ101", SERVICE, "def commit() -> None: ...\ncommit()"),
    ("FQ101", SERVICE, "async def f(conn):\n    await conn.execute('select end_time, committed from releases')"),
    ("FQ101", "tests/ems/test_repository.py", "connection.commit()"),
    ("FQ102", UOW, "async def f(c):\n    async with c.transaction():\n        pass"),
    ("FQ102", "scripts/create_roles.py", "async def f(c):\n    async with c.transaction():\n        pass"),
    ("FQ102", SERVICE, "begin = span.beginning()\ntransaction = control_number()"),
    ("FQ103", LIFECYCLE, "entity.status = transition.target"),
    ("FQ103", SERVICE, "status = claim.status\nif claim.status == ClaimStatus.PAID: pass"),
    ("FQ103", SERVICE, "response.status_code = 200\nclaims[status] = claim\nsetattr(claim, name, value)"),
    ("FQ103", SERVICE, "log.info('moved', status=claim.status)\nlifecycle.fire(uow, claim, action, facts)"),
    ("FQ103", "app/billing/claims/models.py", "class Claim:\n    status: Mapped[str] = plain()"),
    ("FQ104", SERVICE, "from app.billing.claims.schemas import ClaimRead\nx = ClaimRead(status='paid')"),
    ("FQ104", SERVICE, "from app.core.errors import InvalidTransition\nx = InvalidTransition(status='paid')"),
    ("FQ104", SERVICE, "from app.billing.claims.models import Claim\nx = Claim(payer='a')"),
    ("FQ105", "app/billing/claims/schemas.py", "class ClaimRead(EntityRead):\n    status: ClaimStatus"),
    ("FQ105", "app/billing/claims/schemas.py", "class ClaimPatch(VersionedPatch):\n    payer: str"),
    ("FQ101", SERVICE, "_log.info('commit answered with rollback')\nconn.execute(commit)\nconn.execute(1)"),
    ("FQ102", SERVICE, "async def f():\n    async with transaction():\n        pass"),
    ("FQ103", SERVICE, "claim.status.seen = 1\nclaim.__dict__['payer'] = 'a'\nentry['status'] = 1"),
    ("FQ103", SERVICE, "values(status='paid')\nsetattr(claim, 1, 'status')"),
    ("FQ103", SERVICE, "row.values['status'] = 1"),
]
