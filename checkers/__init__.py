"""The judges: properties and searches. Imports ``indelible.model`` and never an implementation."""
