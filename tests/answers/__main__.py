"""Record the answers that the API page shows."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.answers.recording import FILE, without_varying
from tests.answers.story import record

with TemporaryDirectory() as folder:
    text = record(Path(folder, "data")).text()
if not FILE.exists() or without_varying(FILE.read_text()) != without_varying(text):
    FILE.write_text(text)
