"""The fields of `extra_kwargs` that no run takes: they would change what is counted, or where requests go."""

from collections.abc import Iterator, Mapping
from typing import Any

NESTED = "extra_body"  # an object whose fields are merged into the request

_BY_OPERATOR = "the operator's endpoint says this, not the target"
_BY_RUN = "the run sends this itself"
_ELSEWHERE = "it would send requests to models or accounts that the operator did not list. Leave it out"
# Of each field that is refused: why, and what to do.
REFUSED = {
    "n": "the run sends one request for each trajectory. Set num_traj_per_stimulus",
    "stream": "the run needs each answer whole. Leave it out",
    "stream_options": "the run needs each answer whole. Leave it out",
    "messages": f"{_BY_RUN}. Set teacher_prompt, student_prompt and generators",
    "model": f"{_BY_RUN}. Set model_name",
    "extra_headers": f"{_BY_OPERATOR}. Leave it out",
    "extra_query": f"{_BY_OPERATOR}. Leave it out",
    "timeout": f"{_BY_OPERATOR}. Leave it out",
    "base_url": f"{_BY_OPERATOR}. Leave it out",
    "api_base": f"{_BY_OPERATOR}. Leave it out",
    "api_key": f"{_BY_OPERATOR}. Leave it out",
    "models": _ELSEWHERE,
    "fallbacks": _ELSEWHERE,
    "route": _ELSEWHERE,
    "provider": _ELSEWHERE,
    "user_config": _ELSEWHERE,
    "custom_llm_provider": _ELSEWHERE,
    "organization": _ELSEWHERE,
}


def problems(extra_kwargs: Mapping[str, Any], place: str = "extra_kwargs") -> Iterator[str]:
    """Yield a sentence for each field that no run takes, also for those within `extra_body`."""
    for name, value in extra_kwargs.items():
        if name in REFUSED:
            yield f"{place}.{name}: {REFUSED[name]}."
        elif name == NESTED and place.endswith(NESTED):
            yield f"{place}.{name}: one level is merged into the request. Leave it out."
        elif name == NESTED and isinstance(value, Mapping):
            yield from problems(value, f"{place}.{name}")
        elif name == NESTED:
            yield f"{place}.{name}: this must be an object, whose fields are sent with each request. Leave it out."


def merged(extra_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields that a request gets: those of `extra_body` win."""
    fields = dict(extra_kwargs or {})
    within = fields.pop(NESTED, None)
    return fields | merged(within) if isinstance(within, Mapping) else fields
