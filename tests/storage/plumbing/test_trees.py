"""Trees agree with git about order and bytes."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.plumbing.trees import FILE, FOLDER, Tree

ID = bytes(range(20))
NAMES = st.dictionaries(
    st.text("abcAB.-_0é", min_size=1, max_size=4).filter(lambda name: name not in (".", "..")),
    st.tuples(st.sampled_from([FILE, FOLDER]), st.binary(min_size=20, max_size=20)),
    max_size=12,
)


def build(entries: dict[str, tuple[bytes, bytes]]) -> Tree:
    tree = Tree()
    for name, (mode, object_id) in entries.items():
        tree = tree.splice(name, object_id, mode)
    return tree


@given(NAMES)
def test_parse_returns_what_was_serialized(entries):
    tree = build(entries)
    assert Tree.parse(tree.serialize()) == tree
    assert set(tree.names()) == set(entries)
    for name, (mode, object_id) in entries.items():
        assert tree.find(name, mode) == object_id


@given(NAMES)
def test_files_are_those_that_were_put_in(entries):
    assert build(entries).files() == {name: id_ for name, (mode, id_) in entries.items() if mode == FILE}


@given(NAMES, NAMES)
def test_parse_beside_another_tree_returns_the_same(entries, other):
    tree = build(entries)
    for near in (build(other), build(entries | other), tree, Tree()):
        assert Tree.parse(tree.serialize(), near) == tree
        assert Tree.parse(near.serialize(), tree) == near


@given(NAMES, st.binary(max_size=40), st.integers(0, 100))
def test_parse_beside_another_tree_refuses_damage(entries, noise, position):
    data = build(entries).serialize()
    damaged = data[:position] + noise + data[position:]
    try:
        expected = Tree.parse(damaged)
    except ValueError:
        with pytest.raises(ValueError, match="not a tree"):
            Tree.parse(damaged, build(entries))
    else:
        assert Tree.parse(damaged, build(entries)) == expected


@given(NAMES, st.randoms())
def test_order_of_splices_does_not_matter(entries, random):
    shuffled = list(entries.items())
    random.shuffle(shuffled)
    assert build(dict(shuffled)) == build(entries)


@given(NAMES, st.dictionaries(st.sampled_from("aAbB"), st.none() | st.just(ID), max_size=4))
def test_update_equals_its_splices(entries, files):
    spliced = tree = build({name: entry for name, entry in entries.items() if entry[0] == FILE})
    for name, object_id in files.items():
        spliced = spliced.splice(name, object_id)
    assert tree.update(files) == spliced


@given(NAMES)
def test_splicing_out_reverts_splicing_in(entries):
    tree = build(entries)
    added = tree.splice("zz", ID)
    assert added.find("zz") == ID
    assert added.splice("zz", None) == tree
    assert tree.splice("absent", None) == tree


def test_serialize_gives_the_tree_that_git_makes(tmp_path: Path):
    names = ["a", "a.b", "a0", "A", "b", "b-", "é"]
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet", "--bare"], check=True)
    blob = subprocess.run([*git, "hash-object", "-w", "--stdin"], input=b"", capture_output=True, check=True)
    blob_id = blob.stdout.decode().strip()
    lines = "".join(f"100644 blob {blob_id}\t{name}\n" for name in names)
    made = subprocess.run([*git, "mktree"], input=lines.encode(), capture_output=True, check=True)
    content = subprocess.run(
        [*git, "cat-file", "tree", made.stdout.decode().strip()], capture_output=True, check=True
    ).stdout
    assert build({name: (FILE, bytes.fromhex(blob_id)) for name in names}).serialize() == content


def test_other_case_finds_a_neighbour():
    tree = build(dict.fromkeys(("alpha", "beta", "gamma"), (FILE, ID)))
    assert tree.other_case(["BETA"]) == ("BETA", "beta")
    assert tree.other_case(["beta"]) is None
    assert tree.other_case(["bet"]) is None


def test_other_case_finds_a_name_among_many():
    tree = build(dict.fromkeys(("alpha", "beta", "gamma"), (FILE, ID)))
    assert tree.other_case(["delta", "alpha", "GAMMA"]) == ("GAMMA", "gamma")
    assert tree.other_case(["delta", "DELTA"]) == ("DELTA", "delta")
    assert tree.other_case(["delta", "epsilon", "beta"]) is None
    assert tree.other_case([]) is None


@given(NAMES, st.text("abcAB", min_size=1, max_size=3))
def test_other_case_finds_any_name(entries, name):
    tree = build({entry: of for entry, of in entries.items() if of[0] == FILE})
    others = [other for other in tree.names() if other.lower() == name.lower()]
    found = tree.other_case([name])
    if name in others or not others:
        assert found is None
    else:
        assert found is not None
        assert found[0] == name
        assert found[1] in others


@pytest.mark.parametrize("data", [b"x", b"100644 a\0short", b"100644 a/b\0" + ID, b"999 a\0" + ID])
def test_parse_refuses_what_is_not_a_tree(data):
    with pytest.raises(ValueError, match="not a tree entry"):
        Tree.parse(data)
