"""Conformance: does somebody's adapter, or process, keep to the contract, and what is missing?

Nothing here judges whether its log is rewritten: that is what checks are for.
"""
