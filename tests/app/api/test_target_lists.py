"""`GET …/targets` with values: what is shown, which targets are chosen, and the pages."""

import json
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask

from app.domain.resolution import CONFIG_FIELDS
from tests.app.api.helpers import TARGETS, Limited, demo, new_token, new_user, put
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import made
from tests.seams import count_parses, count_processes
from tests.storage.repositories import off_the_branch
from tests.timeline import commit_by_hand, demo_repository, tip

FIELDS = "temperature,generators.0.numq"


def listed(client: Client, **query: Any) -> dict[str, Any]:
    """Return one page."""
    answer = client.get(f"{TARGETS}?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    return answer.json


def names(client: Client, **query: Any) -> list[str]:
    """Return the names on all pages."""
    return [found["target_name"] for page in pages(client, **query) for found in page["targets"]]


def pages(client: Client, **query: Any) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = listed(client, **query, **({"cursor": cursor} if cursor else {}))
        yield page
        cursor = page["next"]
        if cursor is None:
            return


def mistake(client: Client, **query: Any) -> str:
    """Return what is said of a parameter that is refused."""
    answer = client.get(f"{TARGETS}?{urlencode(query)}")
    [name] = query
    assert answer.status_code == 422, answer.text
    [found] = answer.json["detail"]
    assert found["loc"] == ["query", name]
    return found["msg"]


def family(client: Client) -> None:
    """Make targets on two levels, and one that is its own template."""
    put(client, "base", temperature=0.5, generators=[{"type": "oneshot_qs", "numq": 3}])
    put(client, "child", "base", temperature=1.5, model_name="Qwen/Qwen3-8B")
    put(client, "grandchild", "child", extra_kwargs={"a.b": {"c": [1, None]}, "tag": "x"})
    put(client, "other", max_tokens=5)
    put(client, "child", "child", max_concurrency=3)


def test_without_parameters_the_answer_is_what_it_was(app: Flask, alice: Client):
    family(alice)
    answer = alice.get(TARGETS)
    assert answer.data == b'{"targets":["base","child","grandchild","other"]}\n'
    assert answer.headers["ETag"] == f'"{demo(app, "rev-parse", "main:targets").strip()}"'
    assert alice.get(TARGETS, If_None_Match=answer.headers["ETag"]).status_code == 304
    for query in ("include=", "fields=&where=&limit=&cursor=", "full=false", "ref=main"):
        assert alice.get(f"{TARGETS}?{query}").data == answer.data


def test_config_template_and_version_are_those_of_each_target(app: Flask, alice: Client):
    family(alice)
    page = listed(alice, include="config,template,version")
    assert page.keys() == {"targets", "next", "commit", "total"}
    assert (page["next"], page["commit"], page["total"]) == (None, tip(app), 4)
    assert [found["template"] for found in page["targets"]] == ["default", "base", "child", "default"]
    for found in page["targets"]:
        one = alice.get(f"{TARGETS}/{found['target_name']}")
        assert json.dumps(found["config"]) == json.dumps(one.json["config"])  # in the same order, 1.0 is not 1
        assert f'"{found["version"]}"' == one.headers["ETag"]
        assert found.keys() == {"target_name", "config", "template", "version"}


def test_fields_are_shown_by_the_path_that_was_sent_and_left_out_where_there_are_none(alice: Client):
    family(alice)
    page = listed(alice, fields=f"{FIELDS}, /extra_kwargs/a.b ,extra_kwargs.tag,generators.1,max_tokens")
    assert page["targets"] == [
        {"target_name": "base", "fields": {"temperature": 0.5, "generators.0.numq": 3}},
        {"target_name": "child", "fields": {"temperature": 1.5, "generators.0.numq": 3}},
        {
            "target_name": "grandchild",
            "fields": {
                "temperature": 1.5,
                "generators.0.numq": 3,
                "/extra_kwargs/a.b": {"c": [1, None]},
                "extra_kwargs.tag": "x",
            },
        },
        {"target_name": "other", "fields": {"temperature": 1.0, "max_tokens": 5}},
    ]


def test_a_null_in_a_list_is_a_value(alice: Client):
    family(alice)
    [found] = listed(alice, fields="/extra_kwargs/a.b/c/1,/extra_kwargs/a.b/c/2", q="grand")["targets"]
    assert found["fields"] == {"/extra_kwargs/a.b/c/1": None}


def test_long_values_are_cut_unless_full_is_asked_for(alice: Client):
    text = "x" * 5000
    put(alice, "long", extra_kwargs={"text": text}, temperature=0.5)
    path = "extra_kwargs.text"
    [cut] = listed(alice, include="config", fields=f"temperature,{path}")["targets"]
    assert cut["fields"] == {"temperature": 0.5}
    assert cut["fields_cut"][path].keys() == {"start", "length", "sha256"}
    assert cut["fields_cut"][path]["length"] == len(text) + 2
    assert "extra_kwargs" not in cut["config"]
    assert cut["config_cut"].keys() == {"extra_kwargs"}
    [whole] = listed(alice, include="config", fields=f"temperature,{path}", full="true")["targets"]
    assert whole["fields"] == {"temperature": 0.5, path: text}
    assert whole["config"] == alice.get(f"{TARGETS}/long").json["config"]
    assert whole.keys() == {"target_name", "config", "fields"}


def test_changed_names_the_last_commit_of_each_target_and_tells_of_each_commit_once(alice: Client):
    family(alice)
    both = alice.put(f"{TARGETS}/batch", {"targets": [{"target_name": "x", **made()}, {"target_name": "y", **made()}]})
    alice.put("/v1/repo/demo/prompts/p", {"messages": []})
    page = listed(alice, include="changed")
    changed = {found["target_name"]: found["changed"] for found in page["targets"]}
    assert changed["x"] == changed["y"] == both.headers["Git-Commit"]
    assert page["commits"].keys() == set(changed.values())
    assert len(page["commits"]) == 5
    for name, commit in changed.items():
        [last] = alice.get(f"{TARGETS}/{name}/history?limit=1").json["commits"]
        block = page["commits"][commit]
        assert block == {field: last[field] for field in ("commit", "author", "time", "subject", "reason")}
        assert (block["commit"], block["author"]["user"]) == (commit, "alice")


def test_changed_at_a_ref_is_what_it_was_then(alice: Client):
    first = put(alice, "a", max_tokens=1)
    put(alice, "b", max_tokens=1)
    put(alice, "a", max_tokens=2)
    page = listed(alice, include="changed", fields="max_tokens", ref=first)
    assert page["targets"] == [{"target_name": "a", "changed": first, "fields": {"max_tokens": 1}}]
    assert (page["commit"], page["total"]) == (first, 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "CHILD"}, ["child", "grandchild"]),
        ({"q": "-"}, []),
        ({"template": "default"}, ["base", "other"]),
        ({"template": "base"}, ["child"]),  # `child` was its own template, too: the first one counts
        ({"template": "child"}, ["grandchild"]),
        ({"template": "nowhere"}, []),
        ({"descends_from": "default"}, ["base", "child", "grandchild", "other"]),
        ({"descends_from": "base"}, ["child", "grandchild"]),
        ({"descends_from": "grandchild"}, []),
        ({"where": "temperature>1"}, ["child", "grandchild"]),
        ({"where": "model_name~qwen3-8"}, ["child", "grandchild"]),
        ({"where": "max_tokens=null"}, ["base", "child", "grandchild"]),
        ({"where": "max_tokens!=null,temperature=1"}, ["other"]),
        ({"where": '/extra_kwargs/a.b={"c": [1, null]}'}, ["grandchild"]),
        ({"where": "generators.0.numq<=3", "descends_from": "base", "q": "grand"}, ["grandchild"]),
        ({"template": "child", "where": "temperature<1"}, []),
    ],
)
def test_filters_choose_and_combine(alice: Client, query: dict[str, str], found: list[str]):
    family(alice)
    assert names(alice, **query) == found
    assert listed(alice, **query)["total"] == (None if "where" in query else len(found))
    assert names(alice, **query, limit=1) == found


def test_a_template_that_was_deleted_counts_still(alice: Client):
    family(alice)
    alice.delete(f"{TARGETS}/child")
    assert names(alice, template="child") == ["grandchild"]
    assert names(alice, descends_from="base") == []  # nothing says any more what `child` was made from
    assert names(alice, descends_from="child") == ["grandchild"]


def test_descends_from_finds_what_descendants_lists(alice: Client):
    family(alice)
    for name in ("base", "child", "grandchild", "other"):
        descendants = alice.get(f"{TARGETS}/{name}/descendants").json["descendants"]
        assert names(alice, descends_from=name) == sorted(found["target_name"] for found in descendants)


VALUES: dict[str, list[Any]] = {
    "temperature": [0, 0.5, 1, 1.0, 1.5, 2.0],
    "max_tokens": [1, 100, 2**40],
    "model_name": ["Qwen/Qwen3-32B", "qwen", "", "3", "null", "a,b", "Straße", "STRASSE"],
    "extra_kwargs.x": [True, False, 0, 1, 1.0, "1", "true", [1], [1.0], {"a": 1}, [], "x,y"],
    "generators.1.numq": [1, 2, 3],
    "generators.0.rollout_with_conditioned": [True, False],
}


def random_overrides(chance: random.Random) -> dict[str, Any]:
    """Return overrides with some of VALUES."""
    chosen = {path: chance.choice(values) for path, values in VALUES.items() if chance.random() < 0.7}
    overrides = {name: chosen[name] for name in CONFIG_FIELDS if name in chosen}
    generators = [{"type": "persona"}, {"type": "custom"}]
    for place, path in enumerate(("generators.0.rollout_with_conditioned", "generators.1.numq")):
        if path in chosen:
            generators[place][path.split(".")[2]] = chosen[path]
    extra = {"extra_kwargs": {"x": chosen["extra_kwargs.x"]}} if "extra_kwargs.x" in chosen else {}
    return {**overrides, **extra, "generators": generators[: chance.randint(0, 2)]}


def value_at(config: dict[str, Any], path: str) -> Any:
    """Return the value at a path, or None."""
    value: Any = config
    for key in path.split("."):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError):
            return None
    return value


def is_equal(one: Any, other: Any) -> bool:
    """Compare as JSON, where 1 is 1.0 and no other types are alike."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_equal, one, other))
    kinds = [float if type(value) is int else type(value) for value in (one, other)]
    return kinds[0] is kinds[1] and one == other


def passes(config: dict[str, Any], path: str, sign: str, wanted: Any) -> bool:
    """Say in plain Python what a condition means."""
    value = value_at(config, path)
    if sign in ("=", "!="):
        return is_equal(value, wanted) == (sign == "=")
    if sign == "~":
        return isinstance(value, str) and wanted.lower().replace("ß", "ss") in value.lower().replace("ß", "ss")
    if type(value) not in (int, float):
        return False
    return {">": value > wanted, ">=": value >= wanted, "<": value < wanted, "<=": value <= wanted}[sign]


def random_condition(chance: random.Random) -> tuple[str, str, Any]:
    path = chance.choice(list(VALUES))
    value = chance.choice(VALUES[path])
    signs = ["=", "!="]
    if isinstance(value, str) and value:
        signs.append("~")
    if type(value) in (int, float):
        signs += [">", ">=", "<", "<="]
    return path, chance.choice(signs), chance.choice([value, value, None]) if signs == ["=", "!="] else value


def test_filters_equal_a_filter_in_python_over_all_configs(alice: Client):
    chance = random.Random(20)
    bodies = [{"target_name": f"t{number:03}", **made(**random_overrides(chance))} for number in range(150)]
    assert alice.post(f"{TARGETS}/batch", {"targets": bodies}).json["failed"] == {}
    configs = {body["target_name"]: alice.get(f"{TARGETS}/{body['target_name']}").json["config"] for body in bodies}
    found = 0
    for _ in range(250):
        asked = [random_condition(chance) for _ in range(chance.randint(1, 3))]
        where = " , ".join(f"{path} {sign} {json.dumps(value)}" for path, sign, value in asked)
        expected = [name for name, config in configs.items() if all(passes(config, *condition) for condition in asked)]
        assert names(alice, where=where, limit=40) == expected, where
        found += len(expected)
    assert found > 1000


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ({"include": "configs"}, "'configs' is none of config, template, version, changed"),
        ({"include": "config,"}, "'' is none of"),
        (
            {"fields": "extra_kwargs.a.b,extra_kwargs,extra_kwargs.a"},
            "'extra_kwargs.a.b' is shown 3 times, also within",
        ),
        ({"fields": "temprature"}, "did you mean 'temperature'?"),
        ({"fields": "temperature,"}, "names with a dot between them"),
        ({"fields": ",".join(f"extra_kwargs.{number}" for number in range(51))}, "more than 50 fields"),
        ({"fields": "extra_kwargs." + "x" * 2000}, "2000 characters at most"),
        ({"where": "temprature>1"}, "did you mean 'temperature'?"),
        ({"where": "model_name>1"}, "'model_name>1': > compares numbers, and 'model_name' is a text"),
        ({"where": "temperature~x"}, "~ looks into texts"),
        ({"where": ","}, "A condition is empty"),
        ({"where": ",".join(["temperature>1"] * 21)}, "more than 20 conditions"),
        ({"where": "model_name=" + "x" * 2000}, "2000 characters at most"),
        ({"q": "a/b"}, "a part of a name"),
        ({"template": "a/b"}, "must start with a letter or digit"),
        ({"descends_from": "-"}, "must start with a letter or digit"),
        ({"limit": "0"}, "1 or more"),
        ({"limit": "10001"}, "10000 or less"),
        ({"cursor": "a b"}, "the `next` of the page before"),
        ({"full": "maybe"}, "true or false"),
    ],
)
def test_bad_input_is_refused_with_its_place_and_what_to_do(alice: Client, query: dict[str, str], hint: str):
    assert hint in mistake(alice, **query)


def test_all_mistakes_are_told_together(alice: Client):
    answer = alice.get(f"{TARGETS}?fields=a,b&where=c&limit=x&include=y")
    assert_mistakes(
        answer,
        *[(["query", "fields"], "extra_forbidden")] * 2,
        (["query", "where"], "value_error"),
        (["query", "limit"], "int_parsing"),
        (["query", "include"], "literal_error"),
    )
    assert_mistakes(
        alice.get(f"{TARGETS}?where=temperature>1&where=temperature<2"), (["query", "where"], "value_error")
    )


def test_pages_show_the_commit_of_the_first_one_whatever_is_written_meanwhile(alice: Client):
    family(alice)
    before = names(alice, limit=9)
    first = listed(alice, fields="temperature", limit=2)
    alice.delete(f"{TARGETS}/grandchild")
    put(alice, "d-new", temperature=0.1)
    put(alice, "other", temperature=0.2)
    second = listed(alice, fields="temperature", limit=2, cursor=first["next"])
    assert second["commit"] == first["commit"]
    assert [found["target_name"] for found in first["targets"] + second["targets"]] == before
    assert second["targets"][1]["fields"] == {"temperature": 1.0}
    assert (second["next"], second["total"]) == (None, 4)
    assert names(alice, fields="temperature") == ["base", "child", "d-new", "other"]


def test_a_cursor_goes_with_any_limit_and_with_no_other_query(alice: Client):
    family(alice)
    alice.post("/v1/repo", {"repo_name": "second"})
    cursor = listed(alice, where="temperature>0", limit=1)["next"]
    assert len(listed(alice, where="temperature>0", limit=100, cursor=cursor)["targets"]) == 3
    for query in ({}, {"where": "temperature>1"}, {"where": "temperature>0", "include": "config"}, {"q": "a"}):
        answer = alice.get(f"{TARGETS}?{urlencode({**query, 'cursor': cursor})}")
        assert_mistakes(answer, (["query", "cursor"], "value_error"))
        assert "belongs to another query" in answer.json["detail"][0]["msg"]
    query = urlencode({"where": "temperature>0", "cursor": cursor})
    answer = alice.get(f"/v1/repo/second/targets?{query}")
    assert_mistakes(answer, (["query", "cursor"], "value_error"))
    assert "which the repo does not have: begin again" in answer.json["detail"][0]["msg"]


def test_a_forged_cursor_shows_no_commit_off_the_branch(app: Flask, alice: Client):
    family(alice)
    cursor = listed(alice, limit=1)["next"]
    digest, offset, commit = json.loads(urlsafe_b64decode(cursor + "=="))
    assert (offset, commit) == (1, tip(app))
    stray = off_the_branch(demo_repository(app), "-p", "main")
    for forged, said in (
        ([digest, 10**9, commit], None),
        ([digest, 0, "0" * 40], "which the repo does not have: begin again"),
        ([digest, 0, stray], "which the repo does not have: begin again"),
        ([digest, 0, demo(app, "rev-parse", "main:targets").strip()], "which the repo does not have"),
        ([digest, -1, commit], "This is no cursor"),
        ([digest, 0, "HEAD"], "This is no cursor"),
        (["", 0, commit], "belongs to another query"),
        ({}, "This is no cursor"),
    ):
        text = urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
        answer = alice.get(f"{TARGETS}?limit=1&cursor={text}")
        if said is None:
            assert (answer.status_code, answer.json["targets"], answer.json["next"]) == (200, [], None)
        else:
            assert_mistakes(answer, (["query", "cursor"], "value_error"))
            assert said in answer.json["detail"][0]["msg"]
    for text in ("abc", "W1tb" * 70):  # the second decodes to hundreds of `[`
        assert_mistakes(alice.get(f"{TARGETS}?cursor={text}"), (["query", "cursor"], "value_error"))


def test_a_page_has_an_etag_of_its_commit_and_query(alice: Client):
    family(alice)
    path = f"{TARGETS}?fields=temperature"
    answer = alice.get(path)
    assert alice.get(path).headers["ETag"] == answer.headers["ETag"]
    known = alice.get(path, If_None_Match=answer.headers["ETag"])
    assert (known.status_code, known.data) == (304, b"")
    for other in (f"{path}&limit=5", f"{path},max_tokens", f"{path}&where=temperature>1", TARGETS):
        assert alice.get(other, If_None_Match=answer.headers["ETag"]).status_code == 200
    text = alice.get(path, Accept="text/csv", If_None_Match=answer.headers["ETag"])
    assert text.status_code == 200
    assert alice.get(path, Accept="text/csv", If_None_Match=text.headers["ETag"]).status_code == 304
    put(alice, "base", temperature=0.25)
    assert alice.get(path, If_None_Match=answer.headers["ETag"]).json["targets"][0]["fields"] == {"temperature": 0.25}


def test_a_guest_and_a_reading_token_may_list_and_a_stranger_may_not(master: Client, alice: Client):
    family(alice)
    path = f"{TARGETS}?include=config,changed&where=temperature>1"
    whole = alice.get(path).json
    assert new_token(master, access="read").get(path).json == whole
    bob = new_user(master, "bob")
    assert_error(bob.get(path, X_User_Id="alice"), 403, "FORBIDDEN", "'alice'")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    whole = alice.get(path).json  # at the commit of the grant
    assert bob.get(path, X_User_Id="alice").json == whole
    assert bob.get(f"{path}&user_id=alice").json == whole
    assert_error(alice.get("/v1/repo/none/targets?include=config"), 404, "RESOURCE_NOT_FOUND", "'none'")


def test_files_by_hand_are_listed_and_a_damaged_one_is_named(app: Flask, alice: Client):
    family(alice)
    text = f"config: {{temperature: 0.5}}\ntemplate: other\noverrides: {{}}\ntemplate_version: {'0' * 40!r}\n"
    commit_by_hand(app, {"targets/by hand.yml": text.encode(), "targets/note.txt": b"x"})
    assert names(alice, where="temperature=0.5", template="other") == ["by hand"]
    assert "by hand" in names(alice, fields="temperature", limit=1)
    commit_by_hand(app, {"targets/bad.yml": b"no document"})
    for query in ("fields=temperature", "include=template", "where=temperature>1"):
        assert_error(alice.get(f"{TARGETS}?{query}"), 503, "STORAGE_UNAVAILABLE", "'demo'", "targets/bad.yml")
    assert "bad" in names(alice, q="b")


def test_what_is_no_file_has_no_values_and_no_last_change(app: Flask, alice: Client):
    first = put(alice, "a")
    commit_by_hand(app, {"targets/x.yml/y.yml": b"a: 1\n"})
    assert names(alice, q="x") == ["x"]
    assert listed(alice, include="changed")["targets"] == [{"target_name": "a", "changed": first}, {"target_name": "x"}]
    assert listed(alice, include="changed", q="x")["commits"] == {}
    assert names(alice, include="config") == ["a"]
    text = alice.get(f"{TARGETS}?include=changed&q=x", Accept="text/csv").text
    assert text.splitlines()[1] == "x,,,,,,"


def test_an_empty_repo_has_an_empty_page(app: Flask, alice: Client):
    page = listed(alice, include="config,changed", fields="temperature")
    assert page == {"targets": [], "commits": {}, "next": None, "commit": tip(app), "total": 0}


def test_a_page_ends_at_its_bytes_and_at_what_it_reads_and_next_goes_on(limited: Limited):
    client = limited(max_page=4000, max_parsed=20_000)
    items = [
        {"target_name": f"t{number:03}", **made(extra_kwargs={"n": number, "text": "x" * 300})} for number in range(100)
    ]
    client.post(f"{TARGETS}/batch", {"targets": items})
    expected = [item["target_name"] for item in items]
    for query, least in (
        ({"include": "config"}, 12),
        ({"where": "extra_kwargs.n>98"}, 2),
        ({"include": "changed"}, 2),
    ):
        found = list(pages(client, **query))
        assert len(found) > least
        shown = [target["target_name"] for page in found for target in page["targets"]]
        assert shown == (expected if "where" not in query else ["t099"])
        assert all(len(json.dumps(page)) < 8000 for page in found)


def test_there_is_always_room_for_one_target(limited: Limited):
    client = limited(max_page=1024, max_parsed=1024)
    for name in "abc":
        client.put(f"{TARGETS}/{name}", made(extra_kwargs={"text": name * 3000}))
    assert names(client, include="config", full="true") == ["a", "b", "c"]
    assert names(client, where="temperature=1") == ["a", "b", "c"]


def test_a_list_parses_what_is_new_and_starts_no_process_for_each_target(
    alice: Client, monkeypatch: pytest.MonkeyPatch
):
    items = [{"target_name": f"t{number:03}", **made(max_tokens=1 + number % 7)} for number in range(400)]
    alice.post(f"{TARGETS}/batch", {"targets": items})
    sizes, processes = count_parses(monkeypatch), count_processes(monkeypatch)
    assert len(names(alice, fields="max_tokens,model_name")) == 400
    assert len(sizes) < 40
    assert len(processes) < 5
    del sizes[:]
    put(alice, "t005", max_tokens=123_456)
    del sizes[:]
    assert len(names(alice, fields="temperature", where="max_tokens=123456")) == 1
    assert len(sizes) <= 1


def test_a_page_of_large_targets_parses_what_it_may_and_ends_at_the_same_place_cold_and_warm(
    limited: Limited, monkeypatch: pytest.MonkeyPatch
):
    client = limited(max_parsed=100_000)
    for start in (0, 10, 20):
        numbers = range(start, start + 10)
        items = [{"target_name": f"t{n:02}", **made(extra_kwargs={"n": n, "x": f"{n:02}" * 10_000})} for n in numbers]
        assert client.post(f"{TARGETS}/batch", {"targets": items}).json["failed"] == {}
    sizes = count_parses(monkeypatch)
    assert len(listed(client, fields="temperature", limit=1)["targets"]) == 1
    assert sum(sizes) < 100_000
    cold = listed(client, fields="temperature", limit=100)
    assert sum(sizes) < 300_000
    warm = listed(client, fields="temperature", limit=101)
    assert (warm["targets"], cold["total"]) == (cold["targets"], 30)
    assert 1 < len(cold["targets"]) < 10
    assert names(client, fields="temperature") == [f"t{number:02}" for number in range(30)]


@pytest.mark.parametrize("query", [{"template": "default"}, {"descends_from": "default"}])
def test_a_template_is_found_without_a_parse(limited: Limited, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]):
    client = limited(max_parsed=2000)
    items = [{"target_name": f"t{number:03}", **made(max_tokens=number + 1)} for number in range(300)]
    client.post(f"{TARGETS}/batch", {"targets": items})
    sizes = count_parses(monkeypatch)
    assert len(listed(client, **query)["targets"]) == 300
    assert sizes == []


def test_templates_of_many_files_by_hand_are_too_much_for_one_answer(app: Flask, limited: Limited, alice: Client):
    text = f"config: {{}}\ntemplate: default\noverrides: {{}}\ntemplate_version: {'0' * 40!r}\n"
    family(alice)
    commit_by_hand(app, {f"targets/h{number}.yml": f"# {number}\n{text}".encode() for number in range(5)})
    assert len(names(alice, template="default")) == 7
    commit_by_hand(app, {f"targets/h{number}.yml": f"# again {number}\n{text}".encode() for number in range(5)})
    few = limited(max_parsed=3000)
    answer = few.get(f"{TARGETS}?template=default", X_User_Id="alice")
    assert_error(answer, 413, "PAYLOAD_TOO_LARGE", "3000 bytes")
    assert few.get(f"{TARGETS}?limit=100", X_User_Id="alice").json["total"] == 9


def test_total_counts_what_is_listed_also_where_there_are_folders(app: Flask, alice: Client):
    family(alice)
    commit_by_hand(app, {"targets/folder.yml/x": b"a: 1\n"})
    everything = names(alice, limit=100)
    files = [name for name in everything if name != "folder"]
    assert len(everything) == 5
    for query, expected in (
        ({"limit": 2}, everything),
        ({"include": "changed"}, everything),
        ({"fields": "temperature"}, files),
        ({"include": "config", "limit": 1}, files),
        ({"descends_from": "default"}, files),
    ):
        assert names(alice, **query) == expected
        assert listed(alice, **query)["total"] == len(expected)
    commit_by_hand(app, {"targets/folder.yml/x": None, "targets/other.yml": None, "targets/other.yml/x": b"a: 1\n"})
    assert listed(alice, fields="temperature", limit=1)["total"] == 3
    assert listed(alice, limit=1)["total"] == 4


def test_commits_with_long_reasons_count_as_what_is_written(limited: Limited):
    client = limited(max_page=20_000)
    why = quote("\U0001f600" * 1000)
    for number in range(12):
        client.put(f"{TARGETS}/own{number:02}", made(max_tokens=number + 1), X_Change_Reason=why)
    items = [{"target_name": f"shared{number:02}", **made()} for number in range(50)]
    client.post(f"{TARGETS}/batch", {"targets": items}, X_Change_Reason=why)
    expected = names(client, limit=100)
    path = f"{TARGETS}?include=changed&limit=1000"
    for media_type in ("application/json", "text/csv"):
        found: list[str] = []
        cursor, count = "", 0
        while cursor is not None:
            count += 1
            answer = client.get(f"{path}&cursor={cursor}", Accept=media_type)
            assert len(answer.data) < 20_000 + 500
            if media_type == "text/csv":
                found += [line.partition(",")[0] for line in answer.text.splitlines()[1:]]
                link = answer.headers.get("Link")
                cursor = link and link.partition("cursor=")[2].partition(">")[0].partition("&")[0]
            else:
                page = answer.json
                found += [target["target_name"] for target in page["targets"]]
                assert page["commits"].keys() == {target["changed"] for target in page["targets"]}
                cursor = page["next"]
        assert found == expected
        assert count == (4 if media_type == "application/json" else 16)
