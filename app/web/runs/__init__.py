"""Runs of targets: started, followed, read and sent."""
