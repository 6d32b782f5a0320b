"""Walks: runs of one event after another, drawn by chance, at the speed of look-ups."""
