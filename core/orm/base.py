"""The base class of all tables, and the types of their columns.

Integer primary keys are never reused (AUTOINCREMENT on SQLite), so a stale page cannot act on another row. Uploads and
jobs are known outside by the `uuid` their caller chose. Deleted uploads and jobs stay as empty rows with `deleted_at`.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, BigInteger, LargeBinary, MetaData, Uuid
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import Integer

from core.base.clock import Instant

BigKey = BigInteger().with_variant(Integer, "sqlite")


NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar = {
        datetime: Instant,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        UUID: Uuid,
        bytes: LargeBinary,
    }
    __table_args__: Any = {"sqlite_autoincrement": True}  # noqa: RUF012
