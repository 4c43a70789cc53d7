"""What a run makes of its inputs: pure functions, without files, databases or the network."""
