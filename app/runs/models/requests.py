"""The body of a request for a completion, and what a target must not put into it."""

from collections.abc import Mapping, Sequence
from typing import Any

_REASONS = {
    **dict.fromkeys(("n", "stream", "stream_options"), "a run asks for one whole answer at a time"),
    "messages": "they are the stimulus's",
    "model": "model_name is the model",
    **dict.fromkeys(
        ("extra_headers", "extra_query", "timeout", "base_url", "api_base", "api_key"),
        "the operator configures endpoints",
    ),
}
_MERGED = "extra_body"  # an object whose fields the SDK of OpenAI merges into the body


def problems(extra_kwargs: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each field of `extra_kwargs` that a run refuses."""
    merged = extra_kwargs.get(_MERGED, {})
    found = [] if isinstance(merged, Mapping) else [f"extra_kwargs.{_MERGED} must be an object."]
    places = {"extra_kwargs": extra_kwargs, f"extra_kwargs.{_MERGED}": merged if isinstance(merged, Mapping) else {}}
    for place, fields in places.items():
        found += [f"{place}.{name} is not allowed: {_REASONS[name]}." for name in fields if name in _REASONS]
    if _MERGED in places[f"extra_kwargs.{_MERGED}"]:
        found.append(f"extra_kwargs.{_MERGED}.{_MERGED} is not allowed: one level is merged.")
    return found


def body(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None,
    model: str,
    config: Mapping[str, Any],
    seed: int | None,
) -> dict[str, Any]:
    """Return the JSON of a request. `config` is the target's; a `seed` that its extra_kwargs set wins."""
    extra = dict(config.get("extra_kwargs") or {})
    extra |= extra.pop(_MERGED, {})
    made: dict[str, Any] = {"model": model, "messages": messages}
    for name in ("max_tokens", "temperature"):
        if config.get(name) is not None:
            made[name] = config[name]
    if tools:
        made["tools"] = tools
    if seed is not None:
        made["seed"] = seed
    return made | extra
