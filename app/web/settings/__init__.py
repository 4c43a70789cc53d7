"""What a user sets: the own tokens; and with the master key the users."""
