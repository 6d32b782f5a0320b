"""The public names of adapters: foreign code as an ``Implementation`` (docs/check-your-own.md)."""

from __future__ import annotations

from indelible.impl.adapters.asyncio_adapter import AsyncioAdapter
from indelible.impl.adapters.objects import ObjectAdapter
from indelible.impl.adapters.outbox import Outbox
from indelible.impl.adapters.process import ProcessAdapter

__all__ = ["AsyncioAdapter", "ObjectAdapter", "Outbox", "ProcessAdapter"]
