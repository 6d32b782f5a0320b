"""What is to be proved of quorums: of those that are counted or nested, whatever their size."""

from __future__ import annotations

from typing import Final

from indelible.checkers.lemmas.counting import counting_lemmas
from indelible.checkers.lemmas.lemma import Lemma, lemma_obligations
from indelible.checkers.lemmas.nesting import nesting_lemmas
from indelible.checkers.lemmas.obligation import Obligation
from indelible.model.errors import ScopeError

__all__ = ["GROUP", "quorum_lemmas", "quorum_obligations", "quorum_weakenings"]

GROUP: Final = "quorums"


def quorum_lemmas() -> tuple[Lemma, ...]:
    """All of them; ``Lemma.text`` is how they read."""
    return (*counting_lemmas(), *nesting_lemmas())


def quorum_weakenings() -> tuple[str, ...]:
    """The hypotheses that can be dropped, as ``lemma.hypothesis``: none is there for nothing."""
    return tuple(f"{lemma.name}.{name}" for lemma in quorum_lemmas() for name in lemma.given)


def quorum_obligations(weaken: str | None = None) -> tuple[Obligation, ...]:
    """All that is to be proved; ``weaken`` drops a hypothesis, and its lemma is then refuted.

    Raises ``ScopeError`` for a hypothesis that there is not.
    """
    if weaken is not None and weaken not in quorum_weakenings():
        raise ScopeError(
            f"no lemma on quorums has a hypothesis {weaken!r}",
            available=", ".join(quorum_weakenings()),
        )
    lemma_name, _, hypothesis = (weaken or "").partition(".")
    return tuple(
        obligation
        for lemma in quorum_lemmas()
        for obligation in lemma_obligations(
            lemma.without(hypothesis) if lemma.name == lemma_name else lemma, GROUP
        )
    )
