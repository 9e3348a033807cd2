"""Ids in URLs, shared by API and pages. An id that fits no column is not found."""

LARGEST_IMAGE_ID = 2**63 - 1  # and of deliveries
LARGEST_ID = 2**31 - 1  # of versions, schedules, runs, tokens and sessions
LARGEST_PAGE = 1_000_000

IMAGE_ID = f"<int(min=1, max={LARGEST_IMAGE_ID}):image_id>"
VERSION = f"<int(max={LARGEST_ID}):version>"
OTHER_VERSION = f"<int(max={LARGEST_ID}):other>"
SCHEDULE_ID = f"<int(max={LARGEST_ID}):schedule_id>"
TOKEN_ID = f"<int(max={LARGEST_ID}):token_id>"
SESSION_ID = f"<int(max={LARGEST_ID}):session_id>"
RUN_ID = f"<int(max={LARGEST_ID}):run_id>"
USER_ID = f"<int(max={LARGEST_ID}):user_id>"
WEBHOOK_ID = f"<int(max={LARGEST_ID}):webhook_id>"
DELIVERY_ID = f"<int(max={LARGEST_IMAGE_ID}):delivery_id>"
INVITATION_ID = f"<int(max={LARGEST_ID}):invitation_id>"


def image_id(text: str) -> int:
    """The id of an image in a query or form, for `args.get(name, type=image_id)`.

    Raises:
        ValueError: It fits no column, so it counts as not given.
    """
    return _number(text, LARGEST_IMAGE_ID)


def version_number(text: str) -> int:
    """The number of a version in a query or form, like `image_id`."""
    return _number(text, LARGEST_ID)


def _number(text: str, largest: int) -> int:
    number = int(text)
    if not 0 < number <= largest:
        raise ValueError(f"expected a number from 1 to {largest}")
    return number
