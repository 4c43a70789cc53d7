"""Caches take no more memory than they count, whatever they hold."""

import gc
import os
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from app.domain import canonical_yaml
from storage.caches import Cache, weigh
from storage.objects.cache import ObjectCache, cost
from storage.plumbing.object import GitObject
from storage.plumbing.trees import Tree
from tests.payloads import seed_overrides

SIZE = 2 * 1024 * 1024


def held(make: Callable[[], Any]) -> int:
    """Return how many bytes hold what a function returns."""
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = make()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return after - before


def tree(count: int, name: str) -> Tree:
    entries = (b"100644 %b-%06d\0%b" % (name.encode(), number, os.urandom(20)) for number in range(count))
    return Tree.parse(b"".join(entries))


def blob(size: int) -> GitObject:
    return GitObject.of("blob", os.urandom(size))


@pytest.mark.parametrize(
    "make",
    [
        lambda: blob(10),
        lambda: blob(2000),
        lambda: tree(1, "a"),
        lambda: tree(5, "targets"),
        lambda: tree(300, "a"),
        lambda: tree(300, "a-name-of-some-length.yml"),
    ],
)
def test_object_cache_counts_at_least_the_memory_it_takes(make: Callable[[], GitObject | Tree]):
    def fill() -> ObjectCache:
        cache, counted = ObjectCache(SIZE), 0
        while counted < SIZE * 3 // 2:  # so that the first make room
            value = make()
            cache.put("a repository", os.urandom(20), value)
            counted += cost(value)
        return cache

    assert SIZE // 3 < held(fill) < SIZE * 1.05


@pytest.mark.parametrize("length", [0, 100, 10_000, SIZE + 1])
def test_cache_takes_no_more_than_its_size(length: int):
    def fill() -> Cache[str, str]:
        cache: Cache[str, str] = Cache(SIZE)
        for number in range(SIZE * 2 // (length + 600)):
            cache.put(f"key {number}", f"{number:06}" * (length // 6), length)
        return cache

    assert held(fill) < SIZE * 1.05


def test_cache_keeps_the_values_used_last():
    cache: Cache[int, str] = Cache(10_000)
    for number in range(100):
        cache.put(number, "a value", 600)
        cache.get(0)
    assert [number for number in range(100) if cache.get(number)] == [0, *range(93, 100)]
    cache.put(100, "too large", 10_000)
    assert cache.get(100) is None
    assert cache.get(99) == "a value"


@pytest.mark.parametrize(
    "value",
    [
        seed_overrides(),
        {"text": "word " * 10_000},
        {"list": list(range(3000))},
        {"list": [{"a": 1}] * 2000},
        {"list": [{}] * 2000},
        {"list": [[[[[1]]]]] * 1000},
        {"list": ["\U0001f600 and more"] * 500},
    ],
)
def test_weigh_returns_at_least_the_memory_of_a_document(value: Any):
    data = canonical_yaml.dump({"config": value})
    # The least of three: a thread of another test may free memory meanwhile.
    real = min(held(lambda: canonical_yaml.load(data)) for _ in range(3))
    assert real * 0.9 < weigh(canonical_yaml.load(data)) < real * 1.5
