"""Ids in URLs, shared by API and pages. An id that fits no column is not found."""

IMAGE_ID = "<int(min=1, max=9223372036854775807):image_id>"
VERSION = "<int(max=2147483647):version>"
OTHER_VERSION = "<int(max=2147483647):other>"
SCHEDULE_ID = "<int(max=2147483647):schedule_id>"
RUN_ID = "<int(max=2147483647):run_id>"

LARGEST_VERSION = 2**31 - 1
LARGEST_IMAGE_ID = 2**63 - 1


def image_id(text: str) -> int:
    """The id of an image in a query or form, for `args.get(name, type=image_id)`.

    Raises:
        ValueError: It fits no column, so it counts as not given.
    """
    return _number(text, LARGEST_IMAGE_ID)


def version_number(text: str) -> int:
    """The number of a version in a query or form, like `image_id`."""
    return _number(text, LARGEST_VERSION)


def _number(text: str, largest: int) -> int:
    number = int(text)
    if not 0 < number <= largest:
        raise ValueError(f"expected a number from 1 to {largest}")
    return number
