"""Where a project's pyproject.toml is, and whether it mentions us at all.

Apart from ``configuration.py`` because it is asked in every run of pytest, and so imports nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["FILE", "mentions_us", "nearest_file"]

FILE: Final = "pyproject.toml"


def nearest_file(folder: Path) -> Path | None:
    """The pyproject.toml in ``folder``, or else in the nearest folder above it."""
    for each in (folder, *folder.parents):
        if (each / FILE).is_file():
            return each / FILE
    return None


def mentions_us(folder: Path) -> bool:
    """Whether it may be worth reading what the nearest pyproject.toml configures."""
    file = nearest_file(folder)
    try:
        return file is not None and b"indelible" in file.read_bytes()
    except OSError:
        return True  # Whoever reads it says what is wrong.
