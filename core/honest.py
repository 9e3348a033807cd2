"""Labels that may judge: those that were given whatever a version thought of the picture.

Whoever corrects looks at what the version in use got wrong. Judged on such pictures it would score near zero, and any
candidate would win. So a content judges only if its label is that of a folder or of an audit sample; a correction that
says otherwise takes it out.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import judgements
from core.orm import Label, LabelSource

HONEST_SOURCES = (LabelSource.FOLDER, LabelSource.AUDIT)
SLICE = 500


def choose_honest(session: Session) -> dict[bytes, str]:
    """The contents of the judging part that judge honestly, each with its class; their part is kept for good."""
    said = {content.sha256: content.label for content in judgements.choose_contents(session)}
    return {sha256: said[sha256] for sha256 in _backed(session, said, list(said))}


def _backed(session: Session, said: dict[bytes, str], contents: Sequence[bytes]) -> set[bytes]:
    """Those of the contents of which an honest source says the same as what counts."""
    backed: set[bytes] = set()
    for start in range(0, len(contents), SLICE):
        some = contents[start : start + SLICE]
        honest = select(Label.sha256, Label.label).where(Label.sha256.in_(some), Label.source.in_(HONEST_SOURCES))
        backed |= {row.sha256 for row in session.execute(honest) if row.label == said[row.sha256]}
    return backed
