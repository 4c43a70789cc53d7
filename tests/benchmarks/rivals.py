"""What a user would use instead: same bodies, same machine; each only where it is installed."""
