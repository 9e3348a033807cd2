"""What the server of a blob store answers, or does not, as an error with a sentence; and its address, checked."""

import os
import re
from urllib.parse import urlsplit

from core.base.errors import ConfigError, DiskFull, PawsortError, Refused, Unavailable

# What servers of several makes say.
NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist")
WRONG_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403 Forbidden", "401 Unauthorized")
WRONG_CLOCK = "RequestTimeTooSkewed"  # S3: a request may be 15 minutes old
# What the operating system says of a folder without room: bytes, inodes, quota.
FULL_FOLDER = ("No space left on device", "Disk quota exceeded")
FULL = ("507 Insufficient Storage", "InsufficientStorage", "StorageFull", "QuotaExceeded", "no space left")
# What the library knows of a connection that did not come about, deep in what it says.
CAUSES = {
    "Connection refused": "no server listens there",
    "dns error": "there is no host of this name",
    "InvalidMessage": "it does not use TLS; the address must begin with http://",
    "InvalidCertificate": "its certificate is not trusted",
    "ConnectionReset": "it closes the connection; a server with TLS needs https://",
    "kind: Timeout": "no answer in time",
}
WRONG_ADDRESS = ("InvalidMessage", "InvalidCertificate")
ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")


def check_endpoint() -> None:
    """See that the address of an S3 server is one; the library would end with a panic at its first request.

    An empty one counts as not set, as for all settings: docker-compose.yml cannot leave it away.

    Raises:
        ConfigError: It is none.
    """
    for name in ENDPOINTS:
        value = os.environ.get(name)
        if value == "":
            del os.environ[name]
        elif value is not None and not _is_address(value):
            raise ConfigError(f"{name}: expected http://host:port or https://host; got {value!r}.")


def is_full_folder(error: Exception) -> bool:
    """Whether a local folder has no room."""
    return any(words in str(error) for words in FULL_FOLDER)


def names_no_bucket(error: Exception) -> bool:
    """Whether the store itself is missing, and not what was asked for."""
    return any(word in str(error) for word in NO_BUCKET)


def refusal(error: Exception) -> PawsortError:
    """What a server's error means for an operator: to correct a setting, to free disk space, or to wait."""
    whole, sentence = str(error), first_words(error)
    if names_no_bucket(error):
        return Refused("PAWSORT_BLOB_URL: the store has no such bucket. Create it, or correct the address.")
    if any(word in sentence for word in FULL):  # before keys: a quota comes as 403
        return DiskFull(
            "The blob store is full. Delete jobs that are no longer needed, or free disk space, then try again."
        )
    if WRONG_CLOCK in sentence:
        return Refused(
            "PAWSORT_BLOB_URL: the store refuses requests, because its clock and that of this machine differ by more"
            " than 15 minutes. Set both clocks."
        )
    if any(word in sentence for word in WRONG_KEYS):
        return Refused(
            "PAWSORT_BLOB_URL: the store refuses the keys. Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or"
            " those of your cloud), and let them read, write, list and delete."
        )
    if any(word in whole for word in WRONG_ADDRESS):
        return Refused(f"AWS_ENDPOINT_URL: no connection to {_address(sentence)}: {_cause(whole)}. Correct it.")
    return Unavailable(
        f"The blob store at PAWSORT_BLOB_URL does not answer ({_cause(whole) or sentence.rpartition(' - ')[2][:200]};"
        f" {_address(sentence)}). Start it, or correct the address (AWS_ENDPOINT_URL); or try again soon."
    )


def first_words(error: Exception) -> str:
    """The library's sentence on an error, without what it adds for programmers."""
    return " ".join(str(error).partition("Debug source")[0].split())


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


def _cause(sentence: str) -> str:
    return next((meaning for word, meaning in CAUSES.items() if word in sentence), "")


def _address(sentence: str) -> str:
    """The server that was asked, without what it was asked for."""
    found = re.search(r"https?://[^/?\s]+", sentence)
    return found[0] if found else "its server"
