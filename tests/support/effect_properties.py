"""Properties of the effects of a step, for searches to agree on: no record tells of these."""

from __future__ import annotations

from typing import Any

from indelible import CancelTimer, Persist, Send, Torn, always

__all__ = ["cancels_last", "saves_no_more_than_it_sends"]


@always(reads="step", fields=())
def cancels_last(before: Any, event: Any, after: Any, *, effects: Any) -> bool:  # noqa: ARG001
    """Nothing follows the cancelling of a timer, but in the step of node 1 that a crash cuts."""
    if isinstance(event, Torn) and after.node == 1:
        return True
    return not any(isinstance(effect, CancelTimer) for effect in effects[:-1])


@always(reads="step", fields=("storage",))
def saves_no_more_than_it_sends(before: Any, event: Any, after: Any, *, effects: Any) -> bool:  # noqa: ARG001
    """Where it leaves another storage, a step saves twice only if it sends something twice."""
    saved, sent = ([e for e in effects if isinstance(e, kind)] for kind in (Persist, Send))
    return before.storage == after.storage or len(saved) < 2 or len(sent) > len(set(sent))
