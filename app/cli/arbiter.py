"""The master of a server: gunicorn's, which also keeps run workers up."""

from typing import Any

from gunicorn.arbiter import Arbiter as GunicornArbiter

from app.cli.listening import let_nobody_in
from app.cli.run_workers import RunWorkers

_SECONDS_TO_END = 10.0  # for run workers, after which they are killed; their runs are safe either way


class Arbiter(GunicornArbiter):  # type: ignore[misc]
    """gunicorn's master, which lets no connection in any more when it stops, and keeps run workers up.

    When it stops, the web workers take the connections that are in, and close the socket. A connection that came in
    between would be reset, with its request; one that is not let in is refused when the socket is closed.
    """

    def __init__(self, application: Any, run_workers: RunWorkers) -> None:
        self.run_workers = run_workers
        super().__init__(application)

    def manage_workers(self) -> None:
        """Start the workers that are missing; gunicorn calls this once a second, and when a child has ended."""
        super().manage_workers()
        self.run_workers.keep_up()

    def reap_workers(self) -> None:
        """Notice which workers have ended."""
        self.run_workers.look()
        super().reap_workers()

    def reload(self) -> None:
        """Put new workers in the places of all."""
        self.run_workers.renew()
        super().reload()

    def stop(self, graceful: bool = True) -> None:
        """Stop the workers."""
        for listener in self.LISTENERS:
            let_nobody_in(listener)
        self.run_workers.renew()  # they end while the web workers do
        super().stop(graceful)
        self.run_workers.end(_SECONDS_TO_END)
