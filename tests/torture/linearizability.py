"""Could what clients saw of a register have happened one operation after another?

After Wing and Gong ("Testing and Verifying Concurrent Objects", 1993), with the memory of Lowe's and
Knossos' searches: of the operations that began before any other one ended, take each that the
state allows, and go on from there; where the same operations led to the same state before, do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

State = str | None  # a register's value, or None where there is nothing


@dataclass(frozen=True)
class Operation:
    """What a client asked of a register and was answered, from when to when."""

    kind: str  # create, read, put, delete
    status: int
    began: int  # nanoseconds
    ended: int
    wrote: State = None
    saw: State = None  # what it read, or insisted on

    def apply(self, state: State) -> tuple[bool, State]:
        """Tell whether it could have been answered so in a state, and which state follows."""
        match self.kind, self.status:
            case "create", 201:
                return state is None, self.wrote
            case "create", 409 | 412:
                return state is not None, state
            case "read", 200:
                return state == self.saw, state
            case "read", 404:
                return state is None, state
            case "put", 200:
                return state == self.saw, self.wrote
            case "delete", 200:
                return state == self.saw, None
            case "put" | "delete", 412:
                return state != self.saw, state
            case "delete", 404:
                return state is None, state
        return False, state


def is_linearizable(operations: Sequence[Operation], start: State = None) -> bool:
    """Tell whether operations on one register, which began with a state, have an order that explains them."""
    ordered = sorted(operations, key=lambda operation: operation.began)
    everything = (1 << len(ordered)) - 1
    todo: list[tuple[int, State]] = [(0, start)]
    seen = set(todo)
    while todo:
        done, state = todo.pop()
        if done == everything:
            return True
        first_end = min(operation.ended for at, operation in enumerate(ordered) if not done >> at & 1)
        for at, operation in enumerate(ordered):
            if operation.began > first_end:
                break
            if done >> at & 1:
                continue
            could, after = operation.apply(state)
            step = (done | 1 << at, after)
            if could and step not in seen:
                seen.add(step)
                todo.append(step)
    return False
