"""A version that calls every cat a dog and every dog a cat: what it says can be told from what the original says."""

from core.base.database import Database
from core.models import registry
from core.orm.models import ModelVersion
from core.storage.blobs import Blobs, weights_key
from model.artifacts.weights import digest_of, pack_weights, unpack_weights

OUTPUT_LAYER = "p_dog."


def add_mirrored(db: Database, blobs: Blobs, original: ModelVersion) -> int:
    """Turn the last layer of a `seed-cnn` around and add it as a candidate; returns its number."""
    arrays = unpack_weights(bytes(blobs.get(weights_key(original.digest))))
    turned = {name: -array if name.startswith(OUTPUT_LAYER) else array for name, array in arrays.items()}
    weights = pack_weights(list(turned.values()), list(turned))
    blobs.put(weights_key(digest_of(weights)), weights)
    with db.write() as session:
        manifest = {**original.manifest, "digest": digest_of(weights), "command": "made by a test", "who": "a test"}
        return registry.add_version(session, manifest).id
