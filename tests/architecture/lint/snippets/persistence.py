"""Columns and SQL text."""

MODELS = "app/ems/incidents/models.py"
REPOSITORY = "app/ems/incidents/repository.py"

REFUSED = [
    ("FQ401", MODELS, "from sqlalchemy.orm import mapped_column\nname = mapped_column()  # here"),
    ("FQ401", MODELS, "import sqlalchemy as sa\nlinks = sa.Table('links', metadata, sa.Column('id', sa.Uuid))  # here"),
    ("FQ402", MODELS, "import sqlalchemy as sa\nstatus = plain(sa.Enum(IncidentStatus))  # here"),
    ("FQ402", MODELS, "from sqlalchemy.dialects.postgresql import ENUM\nstatus = plain(ENUM('a', name='s'))  # here"),
    ("FQ402", "migrations/versions/20260101_0900_x.py", "import sqlalchemy as sa\nx = sa.Enum('a', name='s')  # here"),
    ("FQ403", MODELS, "from sqlalchemy.orm import relationship\nvitals = relationship('Vital')  # here"),
    ("FQ403", MODELS, "from sqlalchemy import orm\nvitals = orm.relationship('Vital')  # here"),
    ("FQ404", REPOSITORY, "import sqlalchemy as sa\nq = sa.text(f'select {column} from incidents')  # here"),
    ("FQ404", REPOSITORY, "from sqlalchemy import text\nq = text('select ' + column)  # here"),
    ("FQ404", REPOSITORY, "from sqlalchemy import text\nq = text('select %s' % column)  # here"),
    ("FQ404", REPOSITORY, "from sqlalchemy import text\nq = text('select {}'.format(column))  # here"),
    ("FQ404", REPOSITORY, "import sqlalchemy as sa\nq = sa.literal_column(', '.join(columns))  # here"),
    ("FQ404", REPOSITORY, "async def f(conn, x):\n    await conn.fetchval(f'select {x}')  # here"),
    ("FQ404", REPOSITORY, "async def f(conn, x):\n    await conn.fetch_row(QUERY + x + ' limit 1')  # here"),
    ("FQ404", REPOSITORY, "async def f(conn, x):\n    await conn.execute(query=f'select {x}')  # here"),
    ("FQ404", REPOSITORY, "async def f(conn, x):\n    await conn.exec_driver_sql('a' if x else f'{x}')  # here"),
    ("FQ404", REPOSITORY, "async def f(conn, x):\n    q = f'select {x}'\n    await conn.execute(q)  # here"),
    ("FQ404", REPOSITORY, "async def f(conn, x):\n    q = 'select 1'\n    q += x\n    await conn.execute(q)  # here"),
    ("FQ404", REPOSITORY, "Q = f'select {COLUMNS}'\nasync def f(conn):\n    await conn.fetch(Q)  # here"),
    (
        "FQ404",
        REPOSITORY,
        "def f(x):\n    def g(conn):\n        return conn.scalars(f'select {x}')  # here\n    return g",
    ),
]
ACCEPTED = [
    ("FQ401", MODELS, "from app.core.db.columns import phi\nname: Mapped[str] = phi()"),
    ("FQ401", "app/core/db/columns.py", "from sqlalchemy.orm import mapped_column\nx = mapped_column()"),
    ("FQ401", REPOSITORY, "import sqlalchemy as sa\nx = sa.column('id')"),
    ("FQ402", MODELS, "from enum import Enum, StrEnum\nclass Role(StrEnum): ...\nx = Enum('x', 'a b')"),
    ("FQ402", MODELS, "status = plain(EnumText(IncidentStatus))"),
    ("FQ403", MODELS, "relationship = patient.relationship('guardian')\nfamily = relationship(patient)"),
    ("FQ404", REPOSITORY, "import sqlalchemy as sa\nq = sa.text('select 1')\nr = sa.text('select 1' ' where true')"),
    ("FQ404", REPOSITORY, "async def f(conn, x):\n    await conn.fetch('select $1' + ' limit 1', x)"),
    (
        "FQ404",
        REPOSITORY,
        "Q = 'select 1'\nasync def f(conn):\n    q = 'select 2'\n    await conn.fetch(Q if x else q)",
    ),
    ("FQ404", REPOSITORY, "async def f(conn):\n    await conn.fetch(statement.sql, *statement.arguments(values))"),
    ("FQ404", REPOSITORY, "async def f(uow, x):\n    q = q + 1\n    await uow.fetch(_BY_LOGIN, {'key': f'id:{x}'})"),
    ("FQ404", REPOSITORY, "def f(x):\n    q = f'{x}'\ndef g(conn, q):\n    return conn.execute(q)"),
    ("FQ404", "app/ems/incidents/schemas.py", "from app.core.schemas import text\nName = text(f'{x}')"),
    ("FQ404", "app/telnyx/service.py", "x = await gateway.fetch_recording(f'calls/{call_id}')"),
]
