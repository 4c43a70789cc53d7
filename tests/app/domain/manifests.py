"""A manifest for tests."""

from typing import Any

from app.domain import canonical_json
from app.domain.manifests import Manifest

INPUTS: dict[str, Any] = {"kind": "rollout", "config": {"temperature": 0.5, "extra_kwargs": {"ü": [1, 1.0, None]}}}


def manifest(**fields: Any) -> Manifest:
    """Return a manifest that is in order, with some fields set; its key follows from its inputs."""
    inputs = fields.get("inputs", INPUTS)
    counts = {"rows": 6, "failed": 1, "truncated": 2, "empty": 0, "tokens_in": 120, "tokens_out": 90}
    return Manifest(
        **{
            "kind": "rollout",
            "target": "coding_target",
            "key": canonical_json.digest(inputs),
            "commit": "1d4bc92" + "0" * 33,
            "rows_sha256": "a" * 64,
            **counts,
            "inputs": inputs,
            **fields,
        }
    )
