"""The form for a person's own quota: an amount, "none" for no limit, nothing for what everybody may have."""

import re
from collections.abc import Mapping
from decimal import Decimal

from core.base.errors import Invalid
from core.uploads.usage import GB, MAX_QUOTA, UNLIMITED, Quota

NO_LIMIT = "none"
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,3})?")


def read_quota(form: Mapping[str, str]) -> Quota:
    """The quota as it was typed.

    Raises:
        Invalid: An amount is no number.
    """
    return Quota(_read(form.get("gigabytes", ""), GB, "Gigabytes"), _read(form.get("images", ""), 1, "Pictures"))


def show_quota(own: Quota) -> tuple[str, str]:
    """What the two fields of the form show."""
    return _show(own.n_bytes, GB), _show(own.n_images, 1)


def _read(typed: str, unit: int, name: str) -> int | None:
    text = typed.strip().replace(",", "")
    if not text:
        return None
    if text.lower() == NO_LIMIT:
        return UNLIMITED
    if not _NUMBER.fullmatch(text):
        raise Invalid(f"{name}: expected a number such as 2,000, or “{NO_LIMIT}”, or nothing; got “{typed[:40]}”.")
    return min(int(Decimal(text) * unit), MAX_QUOTA)


def _show(most: int | None, unit: int) -> str:
    if most is None:
        return ""
    return NO_LIMIT if most == UNLIMITED else f"{Decimal(most) / unit:,f}"
