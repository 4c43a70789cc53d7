"""The body of a request."""

from collections.abc import Mapping, Sequence
from typing import Any


def body(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None,
    model: str,
    config: Mapping[str, Any],
    seed: int | None,
) -> dict[str, Any]:
    """Return a request."""
    made: dict[str, Any] = {"model": model, "messages": list(messages)}
    made |= {name: config[name] for name in ("max_tokens", "temperature") if config.get(name) is not None}
    if tools:
        made["tools"] = list(tools)
    if seed is not None:
        made["seed"] = seed
    return made | dict(config.get("extra_kwargs") or {})
