"""The body of a request for a completion."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain import extra_kwargs


def body(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None,
    model: str,
    config: Mapping[str, Any],
    seed: int | None,
) -> dict[str, Any]:
    """Return the JSON of a request. `config` is the target's; what its extra_kwargs have wins, also over the `seed`."""
    made: dict[str, Any] = {"model": model, "messages": messages}
    made |= {name: config[name] for name in ("max_tokens", "temperature") if config.get(name) is not None}
    if tools:
        made["tools"] = tools
    if seed is not None:
        made["seed"] = seed
    return made | extra_kwargs.merged(config.get("extra_kwargs"))
