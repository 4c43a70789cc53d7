"""The data sets of the operator: what they have, and what is wrong with some."""

import csv
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from app.runs.datasets import DatasetProblem, Datasets

THREE = ["Who are you?", "What is\n“this”, please?", "Why, 語?"]
Write = Callable[[Path, list[dict[str, str]]], None]


def write_jsonl(path: Path, rows: list[dict[str, str]]) -> None:
    path.with_suffix(".jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    with path.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: list[dict[str, str]]) -> None:
    parquet.write_table(pa.Table.from_pylist(rows), path.with_suffix(".parquet"), row_group_size=2)


WRITERS = {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet}


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest) -> Write:
    return WRITERS[request.param]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


@pytest.fixture
def datasets(folder: Path) -> Datasets:
    return Datasets(folder)


def problem(datasets: Datasets, name: str) -> str:
    """Return what is wrong with a data set, whatever it is asked for."""
    found = set()
    for ask in (datasets.size, datasets.digest, lambda name: datasets.questions(name, [0])):
        with pytest.raises(DatasetProblem) as raised:
            ask(name)
        assert raised.value.name == name
        found.add(str(raised.value))
    (text,) = found
    assert text.startswith(f"Data set '{name}' ")
    assert text.endswith(".")
    assert "\n" not in text
    return text


def refusal(folder: Path, suffix: str, data: bytes) -> str:
    """Return what is wrong with a file."""
    (folder / f"bad{suffix}").write_bytes(data)
    return problem(Datasets(folder), "bad").removeprefix("Data set 'bad' ")


def test_the_questions_at_indexes_are_those_of_the_file(folder: Path, datasets: Datasets, write: Write):
    write(folder / "a", [{"topic": "x", "question": text} for text in THREE])
    assert datasets.size("a") == 3
    assert datasets.questions("a", [0, 1, 2]) == THREE
    assert datasets.questions("a", [2, 0, 2]) == [THREE[2], THREE[0], THREE[2]]
    assert datasets.questions("a", []) == []


LISTS = st.lists(st.text(min_size=1, max_size=30).filter(lambda text: text.strip() and "\0" not in text), min_size=1)


@given(LISTS, st.data(), st.sampled_from([*WRITERS]))
def test_any_texts_are_read_as_they_were_written(tmp_path_factory, texts, data, kind):
    folder = tmp_path_factory.mktemp("datasets")
    WRITERS[kind](folder / "a", [{"id": str(number), "input": text} for number, text in enumerate(texts)])
    indexes = data.draw(st.lists(st.integers(0, len(texts) - 1)))
    assert Datasets(folder).questions("a", indexes) == [texts[index] for index in indexes]


@pytest.mark.parametrize("column", ["question", "prompt", "instruction", "input", "text"])
def test_the_column_is_the_first_of_five_that_is_there(folder: Path, datasets: Datasets, write: Write, column: str):
    names = ["text", "input", "instruction", "prompt", "question"]
    write(folder / "a", [{name: f"a {name}" for name in names[: names.index(column) + 1]}])
    assert datasets.questions("a", [0]) == [f"a {column}"]


def test_a_description_names_another_column_and_the_digest_changes(folder: Path, datasets: Datasets, write: Write):
    write(folder / "a", [{"question": "Who?", "ask": "Why?"}])
    before = datasets.digest("a")
    (folder / "a.yml").write_text("column: ask\n")
    assert datasets.questions("a", [0]) == ["Why?"]
    assert datasets.digest("a") != before
    (folder / "a.yml").unlink()
    assert datasets.digest("a") == before
    (folder / "a.yml").write_text("column: answer\n")
    assert problem(datasets, "a") == (
        "Data set 'a' has no column 'answer', but 'ask', 'question': name one in its .yml file, as `column: …`."
    )


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "ask",
            "column: 5",
            "columns: ask",
            "column: ask\nx: 1",
            "{",
            "\0",
            "a: !!x y",
            "[",
            f"column: {'9' * 400}",
        ),
        *(f"column: {value}" for value in ("!!timestamp x", "!!bool x", "!!int ''", "!!float '-'", "9" * 5000)),
        "column: ask\n? [a]\n: b",
    ],
)
def test_a_description_must_name_a_column_and_nothing_else(folder: Path, datasets: Datasets, text: str):
    write_jsonl(folder / "a", [{"ask": "Who?"}])
    (folder / "a.yml").write_text(text)
    assert "file a.yml that must be one line, `column: " in problem(datasets, "a")


def test_the_digest_is_that_of_the_content(folder: Path, datasets: Datasets, write: Write):
    write(folder / "a", [{"question": "Who?"}, {"question": "Why?"}])
    before = datasets.digest("a")
    write(folder / "b", [{"question": "Who?"}, {"question": "Why?"}])
    write(folder / "c", [{"question": "Who?"}, {"question": "Whý?"}])
    assert datasets.digest("b") == before
    assert datasets.digest("c") != before


def test_a_file_is_read_once_as_long_as_it_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch, write: Write):
    write(folder / "a", [{"question": text} for text in THREE])
    settle()
    datasets, hashed = Datasets(folder), []
    real = sys.modules["hashlib"].file_digest
    monkeypatch.setattr("hashlib.file_digest", lambda *given: hashed.append(1) or real(*given))
    digest = datasets.digest("a")
    assert (datasets.size("a"), datasets.questions("a", [1])) == (3, [THREE[1]])
    assert len(hashed) == 1
    write(folder / "a", [{"question": "Who else?"}])
    assert datasets.digest("a") != digest
    assert datasets.questions("a", [0]) == ["Who else?"]


def test_a_file_that_is_wrong_is_read_once_as_long_as_it_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "a.jsonl").write_text('{"text": 5}\n')
    settle()
    datasets, hashed = Datasets(folder), []
    real = sys.modules["hashlib"].file_digest
    monkeypatch.setattr("hashlib.file_digest", lambda *given: hashed.append(1) or real(*given))
    assert "no text as 'text' in line 1" in problem(datasets, "a")
    assert len(hashed) == 1
    write_jsonl(folder / "a", [{"text": "Who?"}])
    assert datasets.questions("a", [0]) == ["Who?"]


def test_a_file_that_was_just_written_is_read_again(folder: Path, datasets: Datasets, monkeypatch: pytest.MonkeyPatch):
    """Two changes within one tick of the file system's clock leave the same size and times."""
    tick, real = time.time_ns(), os.fstat

    def coarse(file: int) -> SimpleNamespace:
        found = real(file)
        return SimpleNamespace(
            st_dev=found.st_dev, st_ino=found.st_ino, st_size=found.st_size, st_mtime_ns=tick, st_ctime_ns=tick
        )

    monkeypatch.setattr("os.fstat", coarse)
    monkeypatch.setattr("time.time_ns", lambda: tick + 50_000_000)
    (folder / "a.jsonl").write_text('{"text": "a"}\n')
    before = datasets.digest("a")
    (folder / "a.jsonl").write_text('{"text": "b"}\n')
    assert datasets.questions("a", [0]) == ["b"]
    assert datasets.digest("a") != before


def settle() -> None:
    """Wait until the files that were written are old enough to be trusted by their times."""
    time.sleep(0.15)


def test_a_run_gets_the_questions_that_it_was_started_with_or_none(folder: Path, datasets: Datasets, write: Write):
    write(folder / "a", [{"question": text} for text in THREE])
    digest = datasets.digest("a")
    assert datasets.questions("a", [0], digest) == THREE[:1]
    write(folder / "a", [{"question": text} for text in reversed(THREE)])
    with pytest.raises(DatasetProblem, match=r"'a' was changed after the run was started. Start the run again"):
        datasets.questions("a", [0], digest)


def test_a_file_that_changes_while_it_is_read_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    write_jsonl(folder / "a", [{"question": text} for text in THREE])
    real = os.fstat

    def grow(file: int) -> os.stat_result:
        with (folder / "a.jsonl").open("a") as other:
            other.write('{"question": "More?"}\n')
        return real(file)

    monkeypatch.setattr("os.fstat", grow)
    assert problem(Datasets(folder), "a") == "Data set 'a' changed while it was read. Try again when it is written."


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_large_file_is_never_in_memory_as_a_whole(folder: Path, kind: str):
    WRITERS[kind](folder / "a", [{"text": f"{number} {'x' * 1000}"} for number in range(10_000)])
    settle()
    datasets = Datasets(folder)
    tracemalloc.start()
    try:
        assert datasets.size("a") == 10_000
        assert datasets.questions("a", [9_999])[0].startswith("9999 ")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (folder / f"a.{kind}").stat().st_size > 10_000_000
    assert peak < 1_000_000


def test_a_file_that_takes_the_place_of_another_is_another(folder: Path, datasets: Datasets):
    write_jsonl(folder / "a", [{"question": "Who?"}])
    write_jsonl(folder / "b", [{"question": "Why?"}])
    settle()
    assert datasets.questions("a", [0]) == ["Who?"]
    (folder / "b.jsonl").replace(folder / "a.jsonl")
    assert datasets.questions("a", [0]) == ["Why?"]


def test_no_such_data_set(datasets: Datasets):
    text = problem(datasets, "nobody")
    assert "is not there" in text
    assert "'nobody.csv', 'nobody.jsonl', 'nobody.parquet'" in text
    assert not datasets.has("nobody")


def test_there_is_no_folder(tmp_path: Path):
    datasets = Datasets(tmp_path / "datasets")
    assert "is not there" in problem(datasets, "a")
    assert not datasets.has("persona")


def test_two_files_of_one_name(folder: Path, datasets: Datasets):
    write_jsonl(folder / "a", [{"question": "Who?"}])
    write_csv(folder / "a", [{"question": "Who?"}])
    assert "several files, 'a.csv', 'a.jsonl': ask the operator to keep one" in problem(datasets, "a")


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "a b", "a\\b", "a\0", "a\n", "~", "a" * 101, "-a", "$a", "C:a"])
def test_what_is_no_name_of_a_file(folder: Path, name: str):
    with pytest.raises(DatasetProblem, match="must hold only letters, digits"):
        Datasets(folder).digest(name)


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/passwd", "a/../../secret", "./secret", "datasets/../secret", "a//b", "a/b/c", "/", "a/.b"],
)
def test_no_name_leads_out_of_the_folder(folder: Path, datasets: Datasets, name: str):
    (folder.parent / "secret.jsonl").write_text('{"text": "secret"}\n')
    assert "is no name of a data set" in problem(datasets, name)


def test_no_symbolic_link_leads_out_of_the_folder(folder: Path, datasets: Datasets):
    (folder.parent / "secret.jsonl").write_text('{"text": "secret"}\n')
    (folder.parent / "secret.yml").write_text("column: secret\n")
    (folder / "a.jsonl").symlink_to(folder.parent / "secret.jsonl")
    assert "a.jsonl that leads out of `datasets/`" in problem(datasets, "a")
    write_jsonl(folder / "b", [{"text": "Who?"}])
    (folder / "b.yml").symlink_to(folder.parent / "secret.yml")
    assert "b.yml that leads out of `datasets/`" in problem(datasets, "b")


def test_a_symbolic_link_within_the_folder_is_followed(folder: Path, datasets: Datasets):
    (folder / "kept").mkdir()
    (folder / "kept/2026.data").write_text('{"text": "Who?"}\n')
    (folder / "a.jsonl").symlink_to("kept/2026.data")
    assert datasets.questions("a", [0]) == ["Who?"]


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path):
    write_jsonl(folder / "a", [{"text": "Who?"}])
    (tmp_path / "link").symlink_to(folder)
    assert Datasets(tmp_path / "link").questions("a", [0]) == ["Who?"]


def test_what_is_no_file_is_not_there(folder: Path, datasets: Datasets):
    (folder / "a.jsonl").mkdir()
    os.mkfifo(folder / "b.jsonl")
    (folder / "c.jsonl").symlink_to("c.jsonl")
    for name in "abc":
        assert "is not there" in problem(datasets, name)


def test_a_file_that_the_system_refuses(folder: Path, datasets: Datasets, monkeypatch: pytest.MonkeyPatch):
    write_jsonl(folder / "a", [{"text": "Who?"}])

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("io.open", refuse)
    assert problem(datasets, "a") == "Data set 'a' cannot be read: Permission denied. Ask the operator."


def test_no_such_column(folder: Path, datasets: Datasets, write: Write):
    write(folder / "a", [{"answer": "42", "id": "1"}])
    wanted = "none of the columns 'input', 'instruction', 'prompt', 'question', 'text', but 'answer', 'id'"
    assert wanted in problem(datasets, "a")


LINE = b'{"text": "Who?"}\n'


@pytest.mark.parametrize(
    ("suffix", "data", "message"),
    [
        (".jsonl", b"", "is empty"),
        (".jsonl", b"\n \n", "is empty"),
        (".jsonl", LINE + b"\n{]\n", "no JSON in line 3: Expecting property name"),
        (".jsonl", LINE + b'{"text": "Who', "no JSON in line 2"),
        (".jsonl", LINE + b"[" * 100_000, "no JSON in line 2"),
        (".jsonl", b'{"text": ' + b"1" * 5000 + b"}", "no JSON in line 1"),
        (".jsonl", LINE + b'"Who?"\n', "no JSON object in line 2"),
        (".jsonl", LINE + b'{"prompt": "Who?"}\n', "no 'text' in line 2"),
        (".jsonl", LINE + b'{"text": 5}\n', "no text as 'text' in line 2"),
        (".jsonl", LINE + b'{"text": null}\n', "no text as 'text' in line 2"),
        (".jsonl", LINE + b'{"text": ["a"]}\n', "no text as 'text' in line 2"),
        (".jsonl", LINE + b'{"text": " \\n"}\n', "an empty 'text' in line 2"),
        (".jsonl", LINE + b'{"text": "a\\u0000"}\n', "a NUL character in 'text' in line 2"),
        (".jsonl", LINE + b'{"text": "\\ud800"}\n', "half a character, a lone surrogate, in 'text' in line 2"),
        (".jsonl", LINE + b'{"text": "\xff"}\n', "not UTF-8: line 2 has a byte 0xff"),
        (".jsonl", '{"text": "Who?"}\n'.encode("utf-16"), "not UTF-8: line 1 has a byte 0xff"),
        (".jsonl", LINE + b'{"text": "' + b"a" * 1_048_577 + b'"}', "more than 1048576 bytes as 'text' in line 2"),
        (".jsonl", LINE + b" " * 16_777_217, "more than 16777216 bytes in line 2"),
        (".csv", b"", "is empty"),
        (".csv", b"text\n", "is empty"),
        (".csv", b"text,id\nWho?,1\n\nWhy\n", "1 fields in the row that ends in line 4, and 2 in its header"),
        (".csv", b"text\nWho?\nYou, please?\n", "2 fields in the row that ends in line 3, and 1 in its header"),
        (".csv", b"text\nWho\0?\n", "a NUL character in line 2"),
        (".csv", b"te\0xt\nWho?\n", "a NUL character in line 1"),
        (".csv", b"text\nW\xe4r?\n", "not UTF-8: line 2 has a byte 0xe4"),
        (".csv", b'text\n"Who?\nWhy?\n', "no CSV: unexpected end of data, in line 3"),
        (".csv", b'text\n"Who" are you?\n', "no CSV: ',' expected after '\"', in line 2"),
        (".csv", b"text\n" + b"a" * 200_000 + b"\n", "no CSV: field larger than field limit (131072), in line 2"),
        (".csv", b"text\rWho?\r", "no CSV: new-line character seen in unquoted field"),
        (".csv", b"text,id\n ,1\n", "an empty 'text' in the row that ends in line 2"),
        (".parquet", b"", "no Parquet file that can be read"),
        (".parquet", LINE, "no Parquet file that can be read"),
        (".parquet", b"PAR1" + b"\xff" * 100 + b"PAR1", "no Parquet file that can be read"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_place(folder: Path, suffix: str, data: bytes, message: str):
    assert message in refusal(folder, suffix, data)


@given(
    st.sampled_from([*WRITERS]), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=3)
)
def test_a_file_with_other_bytes_is_read_or_refused(tmp_path_factory, kind, changes):
    folder = tmp_path_factory.mktemp("datasets")
    WRITERS[kind](folder / "a", [{"id": str(number), "text": f"Who are you, {number}?"} for number in range(9)])
    path = folder / f"a.{kind}"
    data = bytearray(path.read_bytes())
    for place, byte in changes:
        data[int(place * len(data))] = byte
    path.write_bytes(data)
    datasets = Datasets(folder)
    found = []
    with suppress(DatasetProblem):
        found = datasets.questions("a", range(datasets.size("a")))
    assert found or changes
    assert all(text.strip() for text in found)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1, 2]), "no text as 'text' in row 1"),
        (pa.array(["Who?", None]), "no text as 'text' in row 2"),
        (pa.array(["Who?", ""]), "an empty 'text' in row 2"),
        (pa.array([b"\xff", b"a"]), "no text as 'text' in row 1"),
        (pa.array([["a"], ["b"]]), "no text as 'text' in row 1"),
        (pa.array([], pa.string()), "is empty"),
    ],
)
def test_a_parquet_file_with_other_values_is_refused(folder: Path, datasets: Datasets, column: pa.Array, message: str):
    parquet.write_table(pa.table({"text": column}), folder / "a.parquet")
    assert message in problem(datasets, "a")


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_of_parquet_may_be_long_or_a_dictionary(folder: Path, datasets: Datasets, kind: pa.DataType):
    parquet.write_table(pa.table({"text": pa.array(THREE).cast(kind)}), folder / "a.parquet", row_group_size=2)
    assert datasets.questions("a", [2, 0]) == [THREE[2], THREE[0]]


def test_a_parquet_file_that_is_cut_off_is_refused(folder: Path):
    write_parquet(folder / "a", [{"text": f"Who are you, {number}?"} for number in range(100)])
    data = (folder / "a.parquet").read_bytes()
    for size in range(0, len(data), 97):
        assert "no Parquet file that can be read" in refusal(folder, ".parquet", data[:size])


def test_parquet_without_pyarrow_is_refused(folder: Path, datasets: Datasets, monkeypatch: pytest.MonkeyPatch):
    write_parquet(folder / "a", [{"text": "Who?"}])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "needs pyarrow: ask the operator to install bakehouse[parquet]" in problem(datasets, "a")


def test_a_byte_order_mark_and_windows_line_ends_do_not_count(folder: Path, datasets: Datasets):
    (folder / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "Who?"}\r\n\r\n{"text": "Why?"}')
    (folder / "b.csv").write_bytes(b'\xef\xbb\xbftext\r\nWho?\r\n\r\n"Why?\r\nNow?"\r\nWhen?')
    assert datasets.questions("a", [1, 0]) == ["Why?", "Who?"]
    assert datasets.questions("b", [2, 1, 0]) == ["When?", "Why?\r\nNow?", "Who?"]
