"""What somebody might write by hand: it passes, with the bug and without."""

from register import Voted, value_to_propose


def test_a_proposer_is_free_where_nobody_voted():
    assert value_to_propose("mine", []) == "mine"


def test_what_may_be_chosen_is_kept():
    assert value_to_propose("mine", [Voted((1, 0), "theirs")]) == "theirs"
