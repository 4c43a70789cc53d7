"""`/v1/health`."""

from flask import Flask

from tests.client import Client


def test_health_needs_no_credentials(app: Flask):
    response = Client(app, None).get("/v1/health")
    assert response.status_code == 200
    assert response.json == {"status": "healthy", "api": "bakehouse", "version": "0.1.0"}


def test_health_is_degraded_where_the_data_directory_is_not_writable(app: Flask):
    data_dir = app.extensions["bakehouse"].settings.data_dir
    data_dir.rename(data_dir.with_name("elsewhere"))
    response = Client(app, None).get("/v1/health")
    assert (response.status_code, response.json["status"]) == (503, "degraded")
