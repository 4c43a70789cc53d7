"""How commands ask: a server by HTTP, or a clone by the same views in this process; and how they print answers."""
