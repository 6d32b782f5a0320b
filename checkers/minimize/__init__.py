"""Minimizing: from a trace that fails to the shortest one that still fails in the same way."""
