"""Ballots that do not compare are told as what they are, and no property is blamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indelible import Lead, Promise, PropertyError, Scope, Submit, Vote, always, explore
from indelible.checkers.ballots import Given, incomparable
from indelible.cli import main
from indelible.model.errors import ImplementationError


class Mixed:
    """Has promised nothing as 0, and then a pair."""

    first: Any = 0

    def start(self, node, nodes, storage):
        return False, (Promise(self.first),)

    def handle(self, node, state, event):
        match event:
            case Submit(command):
                return True, self.said((1, node), command)
        return state, ()

    def said(self, ballot, command):
        return (Promise(ballot), Vote(0, ballot, command))


class Leads(Mixed):
    def said(self, ballot, command):
        return (Lead(ballot), Promise(ballot))


SCOPE = Scope(nodes=2, timeouts_max=0)


@pytest.mark.parametrize("kind", [Mixed, Leads])
def test_it_is_said_which_they_are_and_who_gave_them_when(kind: type) -> None:
    with pytest.raises(ImplementationError) as told:
        explore(kind(), SCOPE)
    assert told.value.fact.startswith("ballots do not compare: 0 of n")
    assert ", and (1, " in told.value.fact
    assert "[0, 0] for none" in told.value.remedy


def test_the_event_is_told_where_it_is_known() -> None:
    with pytest.raises(ImplementationError) as told:
        explore(Mixed(), SCOPE, properties=["promise_never_falls"])
    assert told.value.fact == (
        "ballots do not compare: 0 of n0, and (1, 0) of n0 in handle(n0, Submit(command='a'))"
    )


def test_those_that_compare_are_not_to_blame() -> None:
    @always(reads="record", fields=("promised",))
    def wrong(own):
        """Compares what does not."""
        return own.promised < "a"

    class Alike(Mixed):
        first = (0, 0)

    with pytest.raises(PropertyError, match="property wrong raised TypeError"):
        explore(Alike(), SCOPE, properties=[wrong])


def test_the_first_two_are_found() -> None:
    ballots = [(1, 2), (0, "a"), (1, 3), (1, "a")]
    found = incomparable(Given(0, ballot) for ballot in ballots)
    assert found is not None
    assert [each.ballot for each in found] == [(1, 2), (1, "a")]
    assert incomparable(Given(0, ballot) for ballot in ballots[:3]) is None


def test_an_adapter_is_told_before_it_is_checked(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "mixed_ballots.py").write_text(
        "from test_ballots import SCOPE, Mixed\n\nclass Own(Mixed):\n    scope = SCOPE\n"
    )
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.chdir(tmp_path)
    tried = CliRunner().invoke(main, ["adapter", "test", "--target", "mixed_ballots:Own"])
    assert tried.exit_code == 1
    assert "✗ testimony        ballots do not compare: " in tried.stdout
