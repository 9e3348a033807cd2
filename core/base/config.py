"""Settings: the only place that reads the environment.

Values come from the environment (prefix `PAWSORT_`), then from files that it names (`PAWSORT_SECRET_KEY_FILE`), then
from `.env` in the data directory, then from `.env` in the current folder. `load_settings` returns one frozen object
that is passed on as an argument; a wrong value raises ConfigError with a sentence that names the variable.
"""

import ipaddress
import os
import re
import secrets
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.base.data_dir import DOTENV, default_data_dir
from core.base.errors import ConfigError
from core.base.network_catalog import DEFAULT_NETWORK, NETWORKS

MIB = 2**20
GIB = 2**30
MIN_SECRET = 16
ROLES = ("viewer", "member", "admin")  # core.accounts.rights has what they may do
BYTES_PER_PIXEL = 8  # while a picture is decoded: as it is, and in RGB
LONGEST_LEASE_S = 120.0
HEARTBEATS_PER_LEASE = 3  # two may be lost or late before work is given to another worker


HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(BaseSettings):
    """Everything that can be set. Sizes are in bytes, times in seconds. docs/reference/settings.md is made of this."""

    model_config = SettingsConfigDict(
        env_prefix="PAWSORT_", frozen=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    data_dir: Path = Field(default_factory=default_data_dir)
    """Where everything is stored: database, pictures, logs, secrets. By default `~/.local/share/pawsort`."""
    database_url: str = ""
    """`postgresql://user@host/name`. By default SQLite in the data directory."""
    redis_url: str = ""
    """`redis://host:6379/0`, or `rediss://` with TLS. By default an embedded Valkey. It holds nothing that could be
    lost.
    """
    redis_prefix: str = "pawsort:"
    """Prefix of all key names in Redis."""
    blob_url: str = ""
    """`s3://bucket/prefix`, also `gs://` and `az://`. By default a folder in the data directory."""
    secret_key: SecretStr = SecretStr("")
    """Signs the cookies of the pages, and encrypts the secrets of webhooks. Web server and maintenance worker need the
    same one. `pawsort up` creates one at its first start. Former keys may follow, each on a line of its own: they sign
    and encrypt nothing, but what they signed and encrypted stays valid.
    """
    host: str = "127.0.0.1"
    """Address on which the pages listen. `0.0.0.0` opens them to everybody who reaches this machine, without
    encryption: only in a network that you trust. Elsewhere put a proxy with TLS in front.
    """
    port: int = Field(8000, ge=0, le=65535)
    """Port on which the pages listen. `pawsort up` takes the next free one if this one is in use."""
    allowed_hosts: str = ""
    """Further names accepted in the `Host` header, separated by commas."""
    web_processes: int = Field(1, ge=1, le=64)
    """Processes of the web server."""
    web_threads: int = Field(16, ge=1, le=256)
    """Threads of each web process. It starts half as many more for receiving uploads, and a quarter as many for
    downloads.
    """
    client_min_bytes_s: int = Field(4096, ge=0)
    """Bytes per second that a client has to send or read, on average of 20 s. Slower clients are disconnected. Time
    that the server itself needs does not count.
    """
    body_max_s: float = Field(6 * 3600.0, gt=0)
    """Seconds in which the body of a request has to arrive."""
    requests_per_minute: int = Field(12_000, ge=0)
    """Requests of one person per minute; 0 for no limit. More get 429 with `Retry-After`. Requests from the server's
    own machine are not counted, and nobody is refused while Redis does not respond.
    """
    stranger_requests_per_minute: int = Field(1200, ge=0)
    """Requests per minute without a login, or with a wrong one, from one address."""
    bytes_per_minute: int = Field(0, ge=0)
    """Bytes that one person, or an address without a login, may send per minute; 0 for no limit. More get 429 with
    `Retry-After`."""
    archives_at_once: int = Field(2, ge=1)
    """Archives that one person may be sending at the same time to each web process."""
    uploads_at_once: int = Field(6, ge=1)
    """Shards that one person may be sending at the same time to each web process."""
    downloads_at_once: int = Field(3, ge=1)
    """Exports and originals that one person may be downloading at the same time from each web process."""
    thumbnails_at_once: int = Field(12, ge=1)
    """Thumbnails that one person may be waiting for at the same time in each web process."""
    streams_at_once: int = Field(8, ge=1)
    """Event streams that one person may have open at the same time in each web process."""
    metrics_token: SecretStr = SecretStr("")
    """`/metrics` needs this bearer token, and `/readyz` shows details only with it."""
    strict_json_logs: bool = False
    """Whether lines that libraries write past all logging become JSON in the logs of web and workers, too. That takes
    one more process (6 MB) for each program.
    """
    queues: str = ""
    """For `pawsort worker`: the queues of this process."""
    inference_processes: int = Field(default_factory=lambda: min(os.cpu_count() or 1, 4), ge=1, le=256)
    """Processes that classify, each with its own network. By default the number of cores, at most 4."""
    processes_per_gpu: int = Field(0, ge=0, le=16)
    """1 or more: this many processes for each GPU of those in `CUDA_VISIBLE_DEVICES`, each using one of them. 0:
    `PAWSORT_INFERENCE_PROCESSES` of them use the devices that TensorFlow sees.
    """
    default_network: str = DEFAULT_NETWORK
    """The network that a new installation uses: `efficientnet-lite2-fast` and `efficientnet-lite2` are more accurate,
    `seed-cnn` is faster; see docs/networks.md.
    """
    threshold: float | None = Field(None, ge=0.0, le=1.0)
    """Below this confidence a picture is marked unsure. By default the model's own."""
    max_upload_bytes: int = Field(256 * GIB, ge=1)
    """Largest size of one upload."""
    quota_bytes: int = Field(0, ge=0)
    """Bytes that the uploads of one person may have together; 0 for no limit. More get 413. `pawsort user quota` gives
    a person a quota of their own.
    """
    quota_images: int = Field(0, ge=0)
    """Pictures that the uploads of one person may have together; 0 for no limit."""
    max_image_bytes: int = Field(64 * MIB, ge=1)
    """Largest size of one picture; larger ones get the error `too_many_bytes`."""
    max_image_pixels: int = Field(50_000_000, ge=1, le=1_000_000_000)
    """Most pixels that are decoded of one picture; more get the error `too_many_pixels`. A JPEG that is reduced while
    it is decoded may have five times as many in its file.
    """
    min_free_bytes: int = Field(512 * MIB, ge=0)
    """Disk space that stays free; uploads are refused (507) before it is used."""
    lease_s: float = Field(15.0, gt=0, le=LONGEST_LEASE_S)
    """Seconds after which the work of a process that does not respond is reassigned: at least three heartbeats, at
    most 120.
    """
    heartbeat_s: float = Field(5.0, gt=0)
    """Seconds between two heartbeats of a worker; it is alive until three are missing."""
    reconcile_s: float = Field(5.0, gt=0)
    """Seconds between two searches for work that no worker holds; at most a lease."""
    decode_timeout_s: float = Field(20.0, gt=0)
    """Processor seconds for decoding one picture."""
    decode_processes: int = Field(0, ge=0, le=256)
    """Decoder processes of each inference process; a GPU needs many. 0: the number of processors divided by the
    inference processes.
    """
    decode_memory_bytes: int = Field(2 * GIB, ge=512 * MIB)
    """Memory for decoding one picture."""
    silent_days: float = Field(7.0, gt=0)
    """Days after which an upload that was never completed is finished with what arrived."""
    audit_log_days: float = Field(365.0, ge=1)
    """Days after which entries of the audit log are deleted; that is recorded too."""
    import_roots: str = ""
    """Folders and bucket prefixes (`/srv/photos,s3://bucket/in`) from which the server may read pictures."""
    backup_dir: str = ""
    """The folder into which schedules of the kind Back up write."""
    webhook_hosts: str = ""
    """Hosts and networks (`hooks.example.internal,10.20.0.0/16`) to which webhooks may go although they are not public,
    also by http and on other ports.
    """
    webhook_log_days: float = Field(30.0, ge=1)
    """Days after which the list of what webhooks have sent is deleted."""
    public_url: str = ""
    """Address of the pages, for links that are sent (webhooks, invitations) and for the login provider:
    `https://pawsort.example.org`. By default the address in the browser.
    """
    oidc_issuer: str = ""
    """Address of the OpenID Connect provider with which people log in."""
    oidc_client_id: str = ""
    """The name by which the provider knows Pawsort."""
    oidc_client_secret: SecretStr = SecretStr("")
    """The secret by which the provider knows Pawsort."""
    oidc_label: str = Field("your organisation", min_length=1, max_length=60)
    """Name on the button "Log in with …"."""
    oidc_scopes: str = "openid profile email"
    """Scopes to ask for."""
    oidc_groups_claim: str = "groups"
    """The claim that lists the groups of a person."""
    oidc_acr_values: str = ""
    """Strengths of a login, with blanks between them: the provider is asked for them, and one of them must be the `acr`
    of each login or among its `amr`. For a second factor, with Keycloak `2`, with others `mfa`.
    """
    oidc_roles: str = ""
    """Roles by groups, at each login: `admin=operators,member=staff,viewer=*`."""
    oidc_create_people: bool = False
    """Whether everybody whom the provider lets in gets an account, not only invited people."""
    decoder: str = "core.decoding.images:decode"
    """For tests: the function that decodes."""
    pause_after_claim_s: float = Field(0.0, ge=0)
    """For tests: a pause after each claim."""

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("default_network")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in NETWORKS:
            raise ValueError(f"expected one of {', '.join(NETWORKS)}")
        return value

    @field_validator("import_roots")
    @classmethod
    def _roots(cls, value: str) -> str:
        for root in _split(value):
            if not root.startswith(("/", "s3://", "gs://", "az://")):
                raise ValueError("expected absolute paths or s3://bucket/prefix, with commas between them")
        return value

    @field_validator("webhook_hosts")
    @classmethod
    def _hosts(cls, value: str) -> str:
        for part in _split(value):
            if _network(part) is None and not HOST_NAME.fullmatch(part):
                raise ValueError("expected host names and networks such as 10.0.0.0/8, with commas between them")
        return value

    @field_validator("public_url", "oidc_issuer")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if value and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_here))):
            raise ValueError("expected https://host, or http:// on this machine")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _open_id(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("expected scopes with blanks between them, openid among them")
        return value

    @field_validator("oidc_roles")
    @classmethod
    def _roles(cls, value: str) -> str:
        for part in _split(value):
            role, separator, group = part.partition("=")
            if role.strip() not in ROLES or not separator or not group.strip():
                raise ValueError(f"expected role=group with commas between them, roles being {', '.join(ROLES)}")
        return value

    @model_validator(mode="after")
    def _known_to_provider(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError(
                "PAWSORT_OIDC_CLIENT_ID: expected the name by which PAWSORT_OIDC_ISSUER knows this server; got"
                " nothing. Register Pawsort there, and start again."
            )
        return self

    @model_validator(mode="after")
    def _renewed_in_time(self) -> Self:
        if self.lease_s < HEARTBEATS_PER_LEASE * self.heartbeat_s:
            raise ValueError(
                f"PAWSORT_LEASE_S: expected at least {HEARTBEATS_PER_LEASE} times PAWSORT_HEARTBEAT_S"
                f" ({self.heartbeat_s:g} s), so that a live worker keeps its work; got {self.lease_s:g}. Set it to"
                f" {HEARTBEATS_PER_LEASE * self.heartbeat_s:g} or more, or shorten the heartbeat, and start again."
            )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        needed = self.max_image_bytes + BYTES_PER_PIXEL * self.max_image_pixels
        if needed > self.decode_memory_bytes:
            raise ValueError(
                f"PAWSORT_DECODE_MEMORY_BYTES: expected at least {needed:,}, so that a picture of"
                f" PAWSORT_MAX_IMAGE_PIXELS ({self.max_image_pixels:,}) in a file of PAWSORT_MAX_IMAGE_BYTES"
                f" ({self.max_image_bytes:,}) can be read; got {self.decode_memory_bytes:,}. Raise it, or lower the"
                " other two, and start again."
            )
        if self.reconcile_s > self.lease_s:
            raise ValueError(
                f"PAWSORT_RECONCILE_S: expected at most PAWSORT_LEASE_S ({self.lease_s:g} s), so that work whose worker"
                f" died goes on soon after its lease; got {self.reconcile_s:g}. Lower it and start again."
            )
        return self

    @property
    def alive_s(self) -> float:
        """How long after its last heartbeat a worker counts as alive."""
        return HEARTBEATS_PER_LEASE * self.heartbeat_s

    @property
    def responding_s(self) -> float:
        """How long after its last heartbeat a page takes a worker to be at work: sooner than it counts as dead."""
        return 2.4 * self.heartbeat_s

    @property
    def import_root_list(self) -> list[str]:
        """The folders and bucket prefixes below which schedules may read."""
        return _split(self.import_roots)

    @property
    def webhook_host_names(self) -> frozenset[str]:
        """The hosts that webhooks may reach wherever they are."""
        return frozenset(part.lower() for part in _split(self.webhook_hosts) if _network(part) is None)

    @property
    def webhook_networks(self) -> tuple[Network, ...]:
        """The networks that webhooks may reach although they are not public."""
        return tuple(network for part in _split(self.webhook_hosts) if (network := _network(part)) is not None)

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine reach the page."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def oidc_role_groups(self) -> list[tuple[str, str]]:
        """Pairs of a role and a group that gives it."""
        pairs = (part.partition("=") for part in _split(self.oidc_roles))
        return [(role.strip(), group.strip()) for role, _, group in pairs]

    @property
    def secret_keys(self) -> list[str]:
        """The secret key, and after it those that were in use before."""
        return [line.strip() for line in self.secret_key.get_secret_value().splitlines() if line.strip()]

    @property
    def sql_url(self) -> str:
        """SQLAlchemy address of the database: the one set, else SQLite in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir / 'pawsort.db'}"

    @property
    def store_url(self) -> str:
        """Address of the blob store: the one set, else a folder in the data directory."""
        return self.blob_url or (self.data_dir / "blobs").as_uri()


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _split(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def load_settings(**overrides: Any) -> Settings:
    """Read the settings once, at the start of a program.

    Args:
        overrides: Values that win over environment and files; None means "not given".
    Raises:
        ConfigError: A value is wrong; the sentence names the variable, the value and what is expected.
    """
    given: dict[str, Any] = {
        name: value for name in Settings.model_fields if (value := read_file_of(_variable(name))) is not None
    }
    given |= {name: value for name, value in overrides.items() if value is not None}
    data_dir = Path(given.get("data_dir") or os.environ.get("PAWSORT_DATA_DIR") or default_data_dir()).expanduser()
    # This user may not be allowed to read the current folder; then it has no settings either.
    files = tuple(folder / DOTENV for folder in (Path(), data_dir) if os.access(folder, os.X_OK))
    try:
        return Settings(_env_file=files, **given)  # type: ignore[call-arg]
    except PermissionError as error:
        raise ConfigError(f"{error.filename} cannot be read by this user. Make it readable, or remove it.") from error
    except ValidationError as error:
        raise ConfigError(" ".join(_sentence(item) for item in error.errors())) from error


def names_file(variable: str) -> bool:
    """Whether a variable's value is in a file that `<variable>_FILE` names, as container engines mount secrets."""
    return bool(os.environ.get(f"{variable}_FILE")) and not os.environ.get(variable)


def read_file_of(variable: str) -> str | None:
    """The value of a variable from the file that `<variable>_FILE` names; None if there is no such file to read.

    Raises:
        ConfigError: The file cannot be read, or is empty.
    """
    if not names_file(variable):
        return None
    path = os.environ[f"{variable}_FILE"]
    try:
        value = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(
            f"{variable}_FILE: {path} cannot be read ({reason}). Name a file that this user may read."
        ) from error
    if not value:
        raise ConfigError(f"{variable}_FILE: {path} is empty; expected the value of {variable}.")
    return value


def _variable(name: str) -> str:
    return f"PAWSORT_{name.upper()}"


def check_secret_key(settings: Settings) -> None:
    """See that there is a key that signs sessions, as the web needs it.

    Raises:
        ConfigError: It is missing, or short enough to be guessed.
    """
    if min(map(len, settings.secret_keys), default=0) < MIN_SECRET:
        raise ConfigError(
            f"PAWSORT_SECRET_KEY: expected at least {MIN_SECRET} random characters on each line, for example"
            f" {secrets.token_hex(16)}. `pawsort up` creates one."
        )


def _sentence(item: Any) -> str:
    if not item["loc"]:  # about several settings, which its own words name
        return str(item["ctx"]["error"])
    name = _variable("_".join(str(part) for part in item["loc"]))
    shown = "the value given" if "secret" in name.lower() else repr(item["input"])
    return f"{name}: {item['msg']}; got {shown}. Correct it in the environment or in .env and start again."
