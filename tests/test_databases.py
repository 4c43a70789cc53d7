"""The servers of databases that the tests start: they answer, end, and come back on their address."""

import psycopg
import pytest
import redis as client

from tests.databases import PostgreSQL, Redis


def test_postgresql_keeps_its_data_over_a_restart_and_a_kill(postgresql: PostgreSQL):
    url = postgresql.make_database()
    with psycopg.connect(url) as connection:
        connection.execute("create table numbers (number integer)")
        connection.execute("insert into numbers values (7)")
    for end in (postgresql.stop, postgresql.kill):
        end()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=5)
        postgresql.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("select number from numbers").fetchall() == [(7,)]
    with psycopg.connect(postgresql.make_database()) as connection:
        assert connection.execute("select to_regclass('numbers')").fetchone() == (None,)


def test_redis_comes_back_empty(redis: Redis):
    with client.Redis.from_url(redis.make_database()) as connection:
        connection.set("a", "1")
        redis.kill()
        redis.start()
        assert connection.get("a") is None
        connection.set("a", "1")
        redis.restart()
        assert connection.get("a") is None
