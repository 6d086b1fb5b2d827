"""The content key of a slice: same key, same result, so it is never computed twice."""

import hashlib
import json
from collections.abc import Mapping

WRAPPER_VERSION = 1
"""Raised whenever the driver changes in a way that may change the product."""


def slice_key(
    *, plan_inputs: Mapping[str, str], engine_digest: str, profile_sha256: str, plate_sha256: str
) -> str:
    """SHA-256 over everything that shapes the product.

    `plan_inputs` names what else was pinned (e.g. ``model_id``, ``supports``), `profile_sha256` is the hash of
    the *expanded* profile, `plate_sha256` that of the plate file.
    """
    whole = {
        "engine": engine_digest,
        "inputs": dict(plan_inputs),
        "plate": plate_sha256,
        "profile": profile_sha256,
        "wrapper": WRAPPER_VERSION,
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
