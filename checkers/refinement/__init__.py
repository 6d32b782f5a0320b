"""Refinement: whether an implementation does only what the protocol does that is proved safe.

``history`` says what the relations of the proof mean of a run, ``steps`` which actions a node's
testimony stands for, ``search`` tries every behaviour in a scope. Nothing here loads z3.
"""
