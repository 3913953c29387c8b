"""Repositories."""

REPOSITORY = "app/ems/incidents/repository.py"
SERVICE = "app/ems/incidents/service.py"


def _in_class(method: str, bases: str = "Repository[Incident]", name: str = "Incidents") -> str:
    return f"class {name}({bases}):\n    {method}"


REFUSED = [
    ("FQ201", REPOSITORY, _in_class("async def find_open(self, limit: int): ...  # here")),
    ("FQ201", REPOSITORY, _in_class("def find_open(self): ...  # here", "repository.Repository")),
    ("FQ201", SERVICE, _in_class("async def find(self, *, number): ...  # here", "ChartRepository", "X")),
    ("FQ201", REPOSITORY, _in_class("async def find(self, number): ...  # here", "Protocol", "IncidentRepository")),
    ("FQ202", SERVICE, "async def get_cross_tenant_for_admin_only(system): ...  # here"),
    ("FQ202", SERVICE, _in_class("def get_cross_tenant_for_admin_only_by_slug(self): ...  # here")),
    ("FQ203", REPOSITORY, "from app.core.errors import InvalidTransition\nraise InvalidTransition('x')  # here"),
    ("FQ203", REPOSITORY, "from app.ems import errors\nraise errors.ChartNotEditable  # here"),
    ("FQ203", REPOSITORY, "async def f(uow):\n    await incident_lifecycle.fire(uow, incident, 'lock', facts)  # here"),
    ("FQ204", SERVICE, "async def bulk_archive(uow, tenant_id, action): ...  # here"),
    ("FQ204", REPOSITORY, _in_class("async def bulk_archive(self, tenant_id): ...  # here")),
    ("FQ205", SERVICE, "import sqlalchemy as sa\nstmt = sa.update(incidents)  # here"),
    ("FQ205", SERVICE, "from sqlalchemy.dialects.postgresql import insert\nstmt = insert(incidents)  # here"),
    ("FQ205", "app/ems/handlers.py", "from sqlalchemy import delete as remove\nstmt = remove(incidents)  # here"),
]
ACCEPTED = [
    ("FQ201", REPOSITORY, _in_class("async def find(self, tenant_id: TenantId, number: str): ...")),
    ("FQ201", REPOSITORY, _in_class("async def find(self, *, tenant_id: TenantId): ...")),
    ("FQ201", REPOSITORY, _in_class("def _statement(self): ...\n    def __init__(self, uow): ...")),
    ("FQ201", REPOSITORY, _in_class("async def get_cross_tenant_for_admin_only_by_slug(self, slug): ...")),
    ("FQ201", REPOSITORY, _in_class("@cached_property\n    def table(self): ...")),
    ("FQ201", REPOSITORY, _in_class("@staticmethod\n    def columns(): ...")),
    ("FQ201", SERVICE, _in_class("async def revise(self, patch): ...", "Service", "IncidentService")),
    ("FQ202", REPOSITORY, "async def get_cross_tenant_for_admin_only_by_login(system): ..."),
    ("FQ202", SERVICE, "row = await get_cross_tenant_for_admin_only_by_login(system)"),
    ("FQ203", REPOSITORY, "raise NotFound\nraise Conflict.stale(1, at)"),
    ("FQ203", SERVICE, "raise InvalidTransition\nincident_lifecycle.fire(uow, incident, 'lock', facts)"),
    ("FQ204", REPOSITORY, _in_class("async def bulk_archive(self, tenant_id, audit_action: StrEnum): ...")),
    ("FQ204", SERVICE, "await repository.bulk_archive(tenant_id, action)\ndef archive(): ..."),
    ("FQ205", REPOSITORY, "import sqlalchemy as sa\nstmt = sa.update(incidents)"),
    ("FQ205", SERVICE, "import sqlalchemy as sa\nstmt = sa.select(incidents)\nnames.update(other)\nlist.insert(0, x)"),
    ("FQ205", "app/core/audit/writer.py", "import sqlalchemy as sa\nstmt = sa.insert(audit_events)"),
    ("FQ202", SERVICE, "async def list_open(uow): ..."),
    ("FQ204", SERVICE, "async def archive(uow): ..."),
    ("FQ201", REPOSITORY, _in_class("entity = Incident")),
]
