"""Stateful testing: Hypothesis chooses what happens in a run, and shrinks the runs that fail."""
