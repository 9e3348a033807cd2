"""The tables of near-duplicates: sketches of labelled pictures, and which of them are nearly the same."""

from sqlalchemy.orm import Mapped, mapped_column

from core.orm.base import Base


class Sketch(Base):
    """A picture in 32 x 32 greys, row by row: `model.arrays.near_duplicates.sketch`."""

    __tablename__ = "sketches"
    __table_args__ = ({"sqlite_with_rowid": False},)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    greys: Mapped[bytes]


class NearDuplicate(Base):
    """A content that nearly equals others: all of one `group_id`, the smallest SHA-256 of them.

    `is_bridge`: it is like pictures of different parts, so it is used for none.
    """

    __tablename__ = "twins"
    __table_args__ = ({"sqlite_with_rowid": False},)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    group_id: Mapped[bytes] = mapped_column(index=True)
    is_bridge: Mapped[bool]
