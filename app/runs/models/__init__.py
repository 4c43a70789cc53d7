"""Models: the endpoints that serve them, and how they are asked."""
