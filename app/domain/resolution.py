"""From a template and overrides to a config. Pure, so that every target in a clone can be checked."""

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]

# The type of each field, in the order of files and answers.
CONFIG_KINDS: Mapping[str, Any] = {
    "teacher_prompt": str,
    "student_prompt": str,
    "generators": list,
    "model_name": str,
    "num_traj_per_stimulus": int,
    "max_concurrency": int,
    "max_tokens": int,
    "temperature": int | float,
    "extra_kwargs": dict,
}
GENERATOR_KINDS: Mapping[str, Any] = {
    "type": str,
    "model": str,
    "dataset": str,
    "template_path": str,
    "numq": int,
    "max_tokens": int,
    "temperature": int | float,
    "questions": list,
    "seed": int,
    "rollout_with_conditioned": bool,
}
CONFIG_FIELDS = tuple(CONFIG_KINDS)
GENERATOR_FIELDS = tuple(GENERATOR_KINDS)
DEPRECATED_FIELDS = {"u": "teacher_prompt", "v": "student_prompt"}


def resolve(template: Config, overrides: Config) -> Config:
    """Return the config of a target: the template's config with the overrides merged in."""
    merged: Config = merge_patch(template, overrides)
    return merged


def in_order(config: Config) -> Config:
    """Return a config in canonical order. Its generators must be canonical already."""
    ordered = {name: config[name] for name in CONFIG_FIELDS if name in config}
    if "extra_kwargs" in ordered:
        ordered["extra_kwargs"] = _sorted(config["extra_kwargs"])
    return ordered


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON Merge Patch (RFC 7396): objects merge, all else replaces, null removes."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def combine(base: Any, lower: Any, upper: Any) -> Any:
    """Return one patch that changes `base` as the patch `lower` and then the patch `upper` do."""
    if not isinstance(upper, dict):
        return upper
    if not isinstance(lower, dict):  # `lower` replaces `base`, so no field of `base` may stay
        return _replace(base, merge_patch(lower, upper))
    base_fields = base if isinstance(base, dict) else {}
    combined = {**lower, **upper}
    for name in lower.keys() & upper.keys():
        combined[name] = combine(base_fields.get(name), lower[name], upper[name])
    return combined


def _replace(base: Any, value: Any) -> Any:
    """Return the patch that turns `base` into `value`."""
    if not isinstance(base, dict) or not isinstance(value, dict):
        return value
    patch: dict[str, Any] = {name: None for name in base if name not in value}
    for name, item in value.items():
        patch[name] = _replace(base.get(name), item)
    return patch


def normalize(overrides: Config) -> Config:
    """Return overrides as they are stored: current names, no null in a generator, canonical order."""
    renamed = {DEPRECATED_FIELDS.get(name, name): value for name, value in overrides.items()}
    renamed.update((name, overrides[name]) for name in DEPRECATED_FIELDS.values() if name in overrides)
    return canonical(renamed)


def canonical(config: Config) -> Config:
    """Return a config in canonical order, and its generators likewise, without their nulls."""
    ordered = {**in_order(config)}
    if ordered.get("generators"):
        ordered["generators"] = [_canonical_generator(generator) for generator in ordered["generators"]]
    return ordered


def _canonical_generator(generator: Config) -> Config:
    return {name: generator[name] for name in GENERATOR_FIELDS if generator.get(name) is not None}


def is_config(value: Any) -> bool:
    """Tell whether a value read from a file has the shape of a config or of overrides."""
    return _has_shape(value, CONFIG_KINDS) and all(
        _has_shape(generator, GENERATOR_KINDS) for generator in value.get("generators") or []
    )


def _has_shape(value: Any, kinds: Mapping[str, Any]) -> bool:
    return isinstance(value, dict) and all(
        name in kinds and (item is None or isinstance(item, kinds[name])) for name, item in value.items()
    )


def _sorted(value: Any) -> Any:
    return value if _is_sorted(value) else _sort(value)


def _is_sorted(value: Any) -> bool:
    if isinstance(value, dict):
        names = list(value)
        return names == sorted(names) and all(map(_is_sorted, value.values()))
    return not isinstance(value, list) or all(map(_is_sorted, value))


def _sort(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sort(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sort(item) for item in value]
    return value
