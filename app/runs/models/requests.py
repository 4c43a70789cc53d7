"""The body of a request for a completion."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.extra_kwargs import NESTED


def body(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None,
    model: str,
    config: Mapping[str, Any],
    seed: int | None,
) -> dict[str, Any]:
    """Return the JSON of a request. `config` is the target's; a `seed` that its extra_kwargs set wins."""
    extra = dict(config.get("extra_kwargs") or {})
    extra |= extra.pop(NESTED, {})
    made: dict[str, Any] = {"model": model, "messages": messages}
    for name in ("max_tokens", "temperature"):
        if config.get(name) is not None:
            made[name] = config[name]
    if tools:
        made["tools"] = tools
    if seed is not None:
        made["seed"] = seed
    return made | extra
