"""Charted numbers keep the zeros that were typed: NUMERIC without a scale, bounded by checks.

The old scales padded every value (324 to 324.000), so what the padding added goes; zeros typed before are not known.
"""

import sqlalchemy as sa
from alembic import op

revision = "decimals_as_charted"
down_revision = "tenant_secrets"
branch_labels = None
depends_on = None

COLUMNS = (
    ("incidents", "location_latitude", 9, 6, "-90", "90"),
    ("incidents", "location_longitude", 9, 6, "-180", "180"),
    ("interventions", "dose", 12, 3, "0", "999999999"),
    ("vitals", "etco2", 4, 1, "0", "760"),
    ("vitals", "temperature_c", 3, 1, "0", "50"),
)


def upgrade() -> None:
    for table, column, _, places, lowest, highest in COLUMNS:
        op.alter_column(table, column, type_=sa.Numeric(), postgresql_using=f"trim_scale({column})")
        bounds = f"{column} BETWEEN {lowest} AND {highest} AND scale({column}) <= {places}"
        op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, bounds)


def downgrade() -> None:
    for table, column, precision, scale, *_ in COLUMNS:
        op.drop_constraint(op.f(f"ck_{table}_{column}"), table)
        op.alter_column(table, column, type_=sa.Numeric(precision=precision, scale=scale))
