"""The numbers about runs, as Prometheus reads them."""

from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from app.runs.ledger.leases import Batch
from app.runs.ledger.rows import Row
from app.runs.ledger.runs import NewRun
from app.runs.services import Runs
from tests.client import Client, assert_error


def metrics(master: Client) -> dict[str, float]:
    response = master.get("/v1/admin/metrics")
    assert response.status_code == 200
    assert response.content_type == "text/plain; charset=utf-8"
    found = {}
    for family in text_string_to_metric_families(response.text):
        assert family.documentation.endswith(".")
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_a_new_server_has_no_runs(master: Client):
    assert metrics(master) == {"bakehouse_runs_waiting": 0, "bakehouse_runs_waiting_seconds": 0}


def test_the_numbers_are_those_of_the_ledger(app: Flask, master: Client):
    runs: Runs = app.extensions["bakehouse"].runs
    for key in ("a", "b", "c"):
        runs.table.start(NewRun("r" * 32, "a/b", "t", "rollout", key * 64, "c" * 40, {}, {}, {}, {}, 9))
    done, going, _ = reversed(runs.table.list("r" * 32))
    lease = runs.leases.take(done.id, "one")
    lease.write(
        Batch([Row(0, 0, "{}"), Row(1, 0, "{}", None, True)], 2, 2, failed=1, requests=5, retries=3, tokens_out=7)
    )
    lease.complete("c" * 40, "d" * 64)
    runs.leases.take(going.id, "two")
    found = metrics(master)
    assert (found["bakehouse_runs{rollout,complete}"], found["bakehouse_runs{rollout,running}"]) == (1, 2)
    assert (found["bakehouse_run_done{rollout,complete}"], found["bakehouse_run_failed{rollout,complete}"]) == (2, 1)
    assert found["bakehouse_run_retries{rollout,complete}"] == 3
    assert found["bakehouse_run_tokens_out{rollout,complete}"] == 7
    assert found["bakehouse_runs_waiting"] == 1
    assert 0 <= found["bakehouse_runs_waiting_seconds"] < 60


def test_only_the_master_key_reads_them(alice: Client):
    assert_error(alice.get("/v1/admin/metrics"), 403, "FORBIDDEN", "master key")
