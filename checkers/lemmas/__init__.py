"""Lemmas: what no enumeration can show, because it speaks of every size at once.

``obligation`` says what there is to prove and what came of it. Nothing that is imported with
``indelible`` itself may import this package: it loads z3.
"""
