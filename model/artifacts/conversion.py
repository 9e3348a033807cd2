"""The manifest of a conversion: a JSON file next to a network's body as LiteRT runs it.

    format        1
    weights       SHA-256 of the version's weights, which its own manifest has as `digest`
    digest        SHA-256 of the converted body, a flatbuffer, hexadecimal
    n_bytes       size of the converted body
    precision     what it multiplies: "int8" or "float32"
    agreement     how it agrees with the network in TensorFlow: the fields of `model.conversion.agreement.Agreement`
    created_at    UTC, ISO 8601
    code_version  of Pawsort, with the commit where there is one

A version's own manifest never changes, so what is converted later has a manifest of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

FORMAT = 1
PRECISIONS = ("int8", "float32")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionManifest:
    """One such manifest. The fields are explained at the top of this module."""

    weights: str
    digest: str
    n_bytes: int
    precision: str
    agreement: dict[str, Any]
    created_at: str
    code_version: str

    @property
    def is_quantised(self) -> bool:
        """Whether its features differ from those of the same body in float32, so that both cannot be used together."""
        return self.precision == "int8"

    def to_dict(self) -> dict[str, Any]:
        """The manifest as JSON keeps it."""
        return {"format": FORMAT, **asdict(self)}

    def to_json(self) -> str:
        """The JSON text, the same for equal fields: sorted keys, two spaces, a final line break."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ConversionManifest":
        """Read a manifest.

        Raises:
            ValueError: As `from_dict`, or the text is not JSON.
        """
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "ConversionManifest":
        """Read a manifest from parsed JSON.

        Raises:
            ValueError: Its format, its fields or its precision are not known.
        """
        known, given = {field.name for field in fields(cls)}, set(document) - {"format"}
        if document.get("format") != FORMAT or known != given or document["precision"] not in PRECISIONS:
            raise ValueError(
                f"conversion: expected format {FORMAT}, the fields {', '.join(sorted(known))} and a precision of"
                f" {' or '.join(PRECISIONS)}; got {dict(document)}. Update Pawsort."
            )
        return cls(**{name: document[name] for name in known})


class ConvertedBody(NamedTuple):
    """A converted body with its manifest."""

    manifest: ConversionManifest
    flatbuffer: bytes
