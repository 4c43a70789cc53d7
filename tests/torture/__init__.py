"""Crashes, faults and crowds: long forms for `make torture`, short ones for the suite."""
