"""The key of an endpoint is in nothing that the endpoint says."""

import json
from typing import Any

import pytest

from app.runs.models.secrets import Redactor

KEY = 'sk-"quoted"/key\\\\+&==Z'
ESCAPED = "".join(f"\\u{ord(char):04X}" for char in KEY)
WAYS = {
    "as JSON": json.dumps(KEY)[1:-1],
    "with a slash as PHP writes it": json.dumps(KEY)[1:-1].replace("/", "\\/"),
    "with signs as .NET writes them": json.dumps(KEY)[1:-1].replace("+", "\\u002B").replace("&", "\\u0026"),
    "in large digits": ESCAPED,
    "in small digits": ESCAPED.lower().replace("\\u005a", "\\u005A"),
    "in JSON within JSON": json.dumps(json.dumps({"a": KEY}))[1:-1],
    "escaped in JSON within JSON": json.dumps('{"a": "' + ESCAPED + '"}')[1:-1],
}


def texts(value: Any) -> list[str]:
    """Return the texts of a value of JSON, names included, and of the JSON in its texts."""
    if isinstance(value, str):
        return [value, *(texts(json.loads(value)) if value.startswith("{") else [])]
    return [text for pair in value.items() for part in pair for text in texts(part)] if isinstance(value, dict) else []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "form", ['{"content": "Bearer KEY"}', '{"KEY": 1}', '{"a": "KEY", "a": 1}', '{"a": "\\\\KEY\\""}']
)
def test_each_way_to_write_a_key_is_cut_out(way: str, form: str):
    said = form.replace("KEY", WAYS[way])
    found = Redactor(KEY).data(said.encode())
    assert found == Redactor(KEY).text(said).encode()
    assert found.count(b"[key]") == 1
    assert not any(KEY in text for text in texts(json.loads(found)))


def test_a_key_is_cut_out_of_what_is_no_json():
    for said in (f"Bearer {KEY}", f"{KEY}{KEY}", '{"a": "' + ESCAPED):
        assert Redactor(KEY).text(said).replace("[key]", "") in ("Bearer ", "", '{"a": "')


@pytest.mark.parametrize("code", ["utf-16", "utf-16-be", "utf-32"])
def test_a_key_is_cut_out_of_other_encodings(code: str):
    found = Redactor(KEY).data(f"Bearer {KEY}.".encode(code)).replace(b"\0", b"")
    assert b"Bearer [key]" in found
    assert KEY[1:-1].encode() not in found


@pytest.mark.parametrize("said", [b'{"content": "\\u0061"}', b'{"a": "\\u', b"\xff\\u0061", KEY[:-1].encode()])
def test_what_has_no_key_stays_as_it_is(said: bytes):
    assert Redactor(KEY).data(said) == said


@pytest.mark.parametrize("key", [None, "", "short"])
def test_no_key_and_a_short_key_are_in_nothing(key: str | None):
    assert Redactor(key).data(b'{"a": "short"}') == b'{"a": "short"}'
