"""Converters for the ids in URLs, shared by API and pages. An id that fits no column is not found."""

IMAGE_ID = "<int(min=1, max=9223372036854775807):image_id>"
VERSION = "<int(max=2147483647):version>"
OTHER_VERSION = "<int(max=2147483647):other>"
SCHEDULE_ID = "<int(max=2147483647):schedule_id>"
RUN_ID = "<int(max=2147483647):run_id>"
