"""The tables of near-duplicates: sketches of labelled pictures, and groups of almost identical ones."""

from sqlalchemy.orm import Mapped, mapped_column

from core.orm.base import Base


class Sketch(Base):
    """A picture in 32 x 32 greys, row by row: `model.arrays.near_duplicates.sketch`."""

    __tablename__ = "sketches"
    __table_args__ = ({"sqlite_with_rowid": False},)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    greys: Mapped[bytes]


class NearDuplicate(Base):
    """A content that is almost identical to others. All of one group have the same `group_id`: their smallest SHA-256.

    `is_bridge`: it is similar to pictures of different splits, so it is used in none.
    """

    __tablename__ = "twins"
    __table_args__ = ({"sqlite_with_rowid": False},)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    group_id: Mapped[bytes] = mapped_column(index=True)
    is_bridge: Mapped[bool]
