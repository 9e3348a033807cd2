"""docs/reference/settings.md, from the fields of `core.base.config.Settings` and the sentences below them."""

from collections.abc import Iterator

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from core.base.config import Settings
from tests.support.reference.markdown import table

# For tests and for processes of one installation; nobody sets them by hand.
INTERNAL = {"queues", "decoder", "pause_after_claim_s"}
# Each section begins with this field, in the order of the class.
SECTIONS = {
    "data_dir": "Where things are",
    "host": "The web server",
    "client_min_bytes_s": "Limits of requests",
    "metrics_token": "Monitoring",
    "inference_processes": "Classification",
    "max_upload_bytes": "Sizes and quotas",
    "lease_s": "Workers",
    "silent_days": "How long things are kept",
    "import_roots": "Folders of the server",
    "webhook_hosts": "Webhooks",
    "public_url": "Login with OpenID Connect",
}
HEAD = """# Settings

Settings come from the environment, or from `.env` in the data directory or the current folder. A wrong value stops the
program with a sentence that names the variable. `make reference` writes this page from `core/base/config.py`.

Every variable can be in a file: `PAWSORT_SECRET_KEY_FILE=/run/secrets/secret_key` names the file with the value of
`PAWSORT_SECRET_KEY`. The variable itself wins if it is not empty.
"""
TAIL = """## Variables of others

| Variable | Meaning |
| --- | --- |
| `FORWARDED_ALLOW_IPS` | Addresses of the proxies in front of the web server, or `*` for every sender; nobody by default. Their `X-Forwarded-Proto` and `X-Forwarded-For` say how, and from where, a request came. |
| `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL`, `AWS_REGION` | The store of `s3://`; keys can be in files, too (`AWS_SECRET_ACCESS_KEY_FILE`). |
| `GOOGLE_*`, `AZURE_*` | The stores of `gs://` and `az://`. |
| `CUDA_VISIBLE_DEVICES` | The GPUs that workers use. |
| `PAWSORT_SERVER`, `PAWSORT_TOKEN` | The server and the token of the [commands](commands.md) that talk to a server. |

[Deployment](../deployment.md#servers-of-your-own) has the requirements of each server, [OpenID Connect](../openid-connect.md)
those of a login provider.
"""  # noqa: E501
_UNITS = ((2**30, "GiB"), (2**20, "MiB"))


def render() -> str:
    """The page."""
    return "\n".join([HEAD, *_sections(), TAIL])


def _sections() -> Iterator[str]:
    title, rows = "", list[tuple[str, str, str]]()
    for name, field in Settings.model_fields.items():
        if name in SECTIONS and rows:
            yield _section(title, rows)
            rows = []
        title = SECTIONS.get(name, title)
        if name not in INTERNAL:
            rows.append((f"`PAWSORT_{name.upper()}`", _default(name, field), field.description or ""))
    yield _section(title, rows)


def _section(title: str, rows: list[tuple[str, str, str]]) -> str:
    return f"## {title}\n\n{table(('Variable', 'Default', 'Meaning'), rows)}\n"


def _default(name: str, field: FieldInfo) -> str:
    """The default as somebody would write it; nothing where the meaning says it in words."""
    value = field.default
    if value in (PydanticUndefined, None, "") or isinstance(value, SecretStr):
        return ""
    if isinstance(value, bool | str) or name == "port":
        return f"`{value}`".lower()
    if name.endswith("_bytes") and value:
        return next(f"{value // size} {unit}" for size, unit in _UNITS if value % size == 0)
    return f"{value:,.10g}"
