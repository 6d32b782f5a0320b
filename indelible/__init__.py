"""Indelible: model checking and property testing for Multi-Paxos and replicated logs of its kind.

The public names. Importing this loads neither numba nor z3: ``explore`` does when it is called.
"""
