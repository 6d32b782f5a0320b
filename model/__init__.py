"""What is on trial: nodes, events, effects, records, scope, cluster, trace, verdict.

Imports nothing else of ours, and nothing outside the standard library.
"""
