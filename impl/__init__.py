"""The defendants: implementations on trial. Imports ``indelible.model`` and never the checkers."""
