"""Audits: recorded logs of events and effects, judged as they are read.

Nothing here calls an implementation. ``entry`` says what a line tells, ``merge`` in what order
lines of several files happened, ``judge`` which property the first of them violates, with all that
it remembers kept small (``ledger``, ``digests``); ``plainly`` is its dumb twin, and ``proof`` finds
the few records that show a violation. Importing this loads nothing.
"""
