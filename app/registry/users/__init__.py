"""Users, their tokens, and which repos were shared with them."""
