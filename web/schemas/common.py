"""What the schemas of several subjects share: strict inputs, pages of a list, names, numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core.core_schema import CoreSchema, literal_schema
from typing_extensions import TypeAliasType

from core.base.names import MAX_NAME, has_control_characters
from core.base.network_catalog import CLASSES, NETWORKS

MAX_LIMIT = 1000


@dataclass(frozen=True)
class OneOf:
    """A text that is one of these values, for `Annotated`: a Literal whose values are known only here."""

    values: Iterable[str]

    def __get_pydantic_core_schema__(self, _: Any, __: Any) -> CoreSchema:
        return literal_schema(list(self.values))


def _printable(value: str) -> str:
    if has_control_characters(value):
        raise ValueError("expected text without control characters")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a time between the years 1 and 9999 in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NAME), AfterValidator(_printable)]
Text = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_printable)]
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
NetworkOrNumber = Annotated[str, StringConstraints(max_length=100, pattern=r"^([1-9][0-9]{0,8}|[A-Za-z][\w.-]*)$")]
Model = VersionNumber | NetworkOrNumber
# Types with a name of their own in the description, so that generated clients have one enum for each.
ClassName = TypeAliasType("ClassName", Annotated[str, OneOf(CLASSES)])
PersonsLabel = TypeAliasType("PersonsLabel", Annotated[str, OneOf((*CLASSES, "neither"))])
ShownLabel = TypeAliasType("ShownLabel", Annotated[str, OneOf((*CLASSES, "unsure"))])
# Described, not checked: a version whose network this release does not know is shown all the same.
NetworkName = TypeAliasType("NetworkName", Annotated[str, WithJsonSchema({"type": "string", "enum": [*NETWORKS]})])
Whole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
# Described as a list: most generators of clients know no tuples.
Pair = Annotated[
    tuple[Whole, Whole], WithJsonSchema({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2})
]


def old_name(new_name: str) -> Any:
    """A field of an answer that has a better name by now; it stays, and is described as deprecated."""
    return Field(description=f"The older name of `{new_name}`", json_schema_extra={"deprecated": True})


class Input(BaseModel):
    """Refuses unknown fields, so that a misspelt field is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Input):
    cursor: Annotated[str, Field(max_length=8192)] | None = Field(None, description="`next` of the previous page")
    limit: int = Field(100, ge=1, le=MAX_LIMIT)
