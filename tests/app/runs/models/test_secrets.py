"""The key of an endpoint is in nothing that the endpoint says."""

import json

import pytest

from app.runs.models.secrets import Redactor

KEY = 'sk-"quoted"/key'


@pytest.mark.parametrize(
    "said",
    [
        json.dumps({"content": f"Bearer {KEY}"}).encode(),
        json.dumps({"content": f"Bearer {KEY}"}, ensure_ascii=False).encode(),
        json.dumps({"content": KEY}).replace("/", "\\/").encode(),
        ('{"content": "' + "".join(f"\\u{ord(char):04x}" for char in KEY) + '"}').encode(),
        b"plain text " + KEY.encode(),
    ],
)
def test_each_way_to_write_a_key_is_cut_out(said: bytes):
    found = Redactor(KEY).data(said)
    assert b"[key]" in found
    assert KEY not in (json.loads(found)["content"] if found.startswith(b"{") else found.decode())


@pytest.mark.parametrize("said", [b'{"content": "\\u0061"}', b'{"a": "\\u', b"\xff\\u0061", b"[" * 100_000 + b"\\u"])
def test_what_has_no_key_stays_as_it_is(said: bytes):
    assert Redactor(KEY).data(said) == said
