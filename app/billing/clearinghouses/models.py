"""clearinghouses."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live

FILE_NAME = "837P_{number}.txt"
TEST_FILE_NAME = "OATEST_837P_{number}.txt"
INBOUND = "/inbound"


class DeliveryChannel(StrEnum):
    """A directory is emptied by a person or by another program. An SFTP server is the clearinghouse's own."""

    DIRECTORY = "directory"
    SFTP = "sftp"


class Clearinghouse(TenantEntity):
    """A receiver of 837P files, and how the agency's files are written and delivered there.

    A null id or qualifier means the one of the agency's profile. `test_files`: ISA15 is T in production too, and files
    are named by `test_file_name`. `{number}` in a name is the control number. An agency has one SFTP login, so at most
    one of its clearinghouses is reached by SFTP.
    """

    __tablename__ = "clearinghouses"
    entity_type: ClassVar[str] = "clearinghouse"

    name: Mapped[str] = plain()
    submitter_qualifier: Mapped[str | None] = plain(default=None)
    submitter_id: Mapped[str | None] = plain(default=None)
    receiver_qualifier: Mapped[str | None] = plain(default=None)
    receiver_id: Mapped[str | None] = plain(default=None)
    receiver_id_qualifier: Mapped[str] = plain(default="46", server_default="46")
    application_sender_code: Mapped[str | None] = plain(default=None)
    application_receiver_code: Mapped[str | None] = plain(default=None)
    acknowledgment_requested: Mapped[bool] = plain(default=False, server_default=sa.false())
    test_files: Mapped[bool] = plain(default=False, server_default=sa.false())
    file_name: Mapped[str] = plain(default=FILE_NAME, server_default=FILE_NAME)
    test_file_name: Mapped[str] = plain(default=TEST_FILE_NAME, server_default=TEST_FILE_NAME)
    delivery: Mapped[DeliveryChannel] = plain(
        EnumText(DeliveryChannel), default=DeliveryChannel.DIRECTORY, server_default=DeliveryChannel.DIRECTORY.value
    )
    sftp_host: Mapped[str | None] = plain(default=None)
    sftp_port: Mapped[int] = plain(default=22, server_default=sa.text("22"))
    sftp_directory: Mapped[str] = plain(default=INBOUND, server_default=INBOUND)
    sftp_host_key: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("clearinghouses"),
        unique_among_live("uq_clearinghouses_name", "name"),
        unique_among_live("uq_clearinghouses_sftp", also=sa.text("delivery = 'sftp'")),
        values_check("delivery", DeliveryChannel),
        sa.CheckConstraint("receiver_id_qualifier IN ('46', 'PI')", name="receiver_id_qualifier"),
        sa.CheckConstraint(
            "delivery <> 'sftp' OR (sftp_host IS NOT NULL AND sftp_host_key IS NOT NULL)", name="sftp_pinned"
        ),
    )
