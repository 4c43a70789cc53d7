"""A field of the schemas that resolution does not know stops the server before it can be lost."""

import json

import pytest
from marshmallow import Schema

from app.domain.resolution import CONFIG_FIELDS, GENERATOR_FIELDS, canonical, in_order, is_config, resolve
from app.schemas.fields import Number
from app.schemas.targets import (
    GeneratorInputSchema,
    GeneratorSchema,
    OverridesSchema,
    TargetConfigSchema,
    require_fields,
)

GENERATOR = {
    "type": "custom",
    "model": "m",
    "dataset": "d",
    "template_path": "templates/ask.txt",
    "numq": 1,
    "max_tokens": 1,
    "temperature": 0.5,
    "questions": ["why?"],
    "seed": 0,
    "rollout_with_conditioned": False,
}
CONFIG = {
    "teacher_prompt": "t",
    "student_prompt": "",
    "generators": [GENERATOR],
    "model_name": "m",
    "num_traj_per_stimulus": 1,
    "max_concurrency": 1,
    "max_tokens": 1,
    "temperature": 1.0,
    "extra_kwargs": {"a": 1},
}


@pytest.mark.parametrize(("base", "stored"), [(TargetConfigSchema, CONFIG_FIELDS), (GeneratorSchema, GENERATOR_FIELDS)])
def test_a_field_that_resolution_would_drop_stops_the_server(base: type[Schema], stored: tuple[str, ...]):
    class WithInvented(base):
        invented = Number(0.0, 1.0)

    with pytest.raises(TypeError, match=r"WithInvented and app/domain/resolution\.py differ in: invented$"):
        require_fields(WithInvented, stored)
    with pytest.raises(TypeError, match=f"differ in: {stored[-1]}$"):
        require_fields(base, stored[:-1])
    with pytest.raises(TypeError, match=r"differ in: their order$"):
        require_fields(base, stored[::-1])
    require_fields(WithInvented, stored, ["invented"])


def test_every_field_of_a_request_is_kept():
    """Every field, with a value that the schemas accept, comes out of resolution as it went in."""
    assert (list(CONFIG), list(GENERATOR)) == (
        list(TargetConfigSchema().fields),
        list(GeneratorSchema().fields),
    )
    loaded = OverridesSchema().load(CONFIG)
    kept = in_order(resolve({}, canonical(loaded)))
    assert json.dumps(kept) == json.dumps(CONFIG)
    assert is_config(kept)
    assert set(GeneratorInputSchema().fields) - set(GENERATOR) == {"template_content"}
