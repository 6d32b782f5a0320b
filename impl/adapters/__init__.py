"""Adapters: foreign code as an ``Implementation``. Nothing here knows a protocol, or a checker."""
