"""Machine: a cluster as Hypothesis's ``RuleBasedStateMachine``; a rule for each kind of event.

Hypothesis chooses which rule comes next, and what it chooses from is listed with the simplest
first, which is where Hypothesis shrinks to: fewer events, the first node, the oldest message, no
fault. A rule that has nothing to choose from is not offered. Strategies are subclasses, which say
what is offered when, and never what an event does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, TypeAlias, get_args

from hypothesis import strategies as st
from hypothesis import target
from hypothesis.control import current_build_context
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from indelible.checkers.findings import RAISES
from indelible.checkers.stateful.offers import FAULTS, OFFERS, Offer
from indelible.checkers.stateful.trial import Trial
from indelible.checkers.walks.landmarks import Landmarks, landmarks
from indelible.checkers.walks.options import Option, take
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Action
from indelible.model.implementation import implementation_name

__all__ = ["STRATEGIES", "ClusterMachine", "Strategy", "machine_class"]

Strategy: TypeAlias = Literal["uniform", "swarm", "priority", "targeted"]
STRATEGIES: Final[tuple[str, ...]] = get_args(Strategy)

BURST: Final = 12
"""How many messages a delivery is followed by at most, where a strategy lets things take their
course: what Hypothesis chooses one by one takes too many choices for a long run."""

CHANGES_MAX: Final = 5
"""How often the priorities of links change in a run, at most."""


@st.composite
def _offered(draw: st.DrawFn, name: str) -> Offer:
    machine: ClusterMachine = draw(st.runner())
    return machine.offer(draw, name)


@st.composite
def _nodes_cut_off(draw: st.DrawFn) -> tuple[Any, ...]:
    """Some of the nodes, but not the first; the last one only is the simplest."""
    machine: ClusterMachine = draw(st.runner())
    others = st.sampled_from(machine.trial.scope.nodes[:0:-1])
    return tuple(draw(st.lists(others, min_size=1, unique=True)))


def _may(name: str) -> Callable[[ClusterMachine], bool]:
    def is_offered(machine: ClusterMachine) -> bool:
        return bool(machine.offers(name))

    return is_offered


class ClusterMachine(RuleBasedStateMachine):
    """A run: what may happen next, judged after each event. The plain choice, strategy *uniform*.

    ``trial`` is what is on trial; ``burst`` how many messages may follow a delivery.
    """

    trial: ClassVar[Trial]
    burst: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.faults: tuple[str, ...] = FAULTS
        self.cut_off: frozenset[int] = frozenset()
        self.failed = False
        self._offers: dict[str, list[Option]] = {}
        self._turn = 0
        try:
            self.stage = self.trial.stage()
        except ImplementationRaised:
            self._fail_on((RAISES,), ())
        self._fail_on(self.trial.judge.start(self.stage), ())

    # --- what is offered -------------------------------------------------------------------------

    def offers(self, name: str) -> list[Option]:
        """What the rule of this name may choose from now."""
        known = self._offers.get(name)
        if known is None:
            known = [] if name in FAULTS and name not in self.faults else self._listed(name)
            self._offers[name] = known
        return known

    def _listed(self, name: str) -> list[Option]:
        return list(OFFERS[name](self.stage, self.cut_off))

    def offer(self, draw: st.DrawFn, name: str) -> Offer:
        """One of the offers, drawn."""
        options = self.offers(name)
        option = options[draw(st.integers(0, len(options) - 1))]
        more = draw(st.integers(0, self.burst)) if name == "deliver" and self.burst else 0
        return Offer(self.stage, option, more)

    def may_part(self) -> bool:
        """Whether a partition makes sense: there are two sides, and something to happen in it."""
        together = not self.cut_off and len(self.stage.states) > 1
        return together and "partition" in self.faults and self._goes_on()

    def _goes_on(self) -> bool:
        return any(self.offers(name) for name in OFFERS)

    def is_over(self) -> bool:
        """Whether nothing can happen any more."""
        return not self.cut_off and not self._goes_on()

    # --- rules -----------------------------------------------------------------------------------

    @precondition(_may("deliver"))
    @rule(message=_offered("deliver"))
    def deliver(self, message: Offer) -> None:
        """The oldest message of a link is delivered, and perhaps more after it."""
        self.happen(message.option)
        for _ in range(message.more):
            if not self.offers("deliver"):
                break
            self.happen(self._following(self.offers("deliver")))

    @precondition(_may("drop"))
    @rule(message=_offered("drop"))
    def drop(self, message: Offer) -> None:
        """A message is lost."""
        self._offers.clear()
        self.stage.lose(message.option.node, message.option.which)

    @precondition(_may("duplicate"))
    @rule(message=_offered("duplicate"))
    def duplicate(self, message: Offer) -> None:
        """A message is delivered once more."""
        self.happen(message.option)

    @precondition(_may("fire"))
    @rule(timer=_offered("fire"))
    def fire(self, timer: Offer) -> None:
        """A timer fires."""
        self.happen(timer.option)

    @precondition(may_part)
    @rule(nodes=_nodes_cut_off())
    def partition(self, nodes: tuple[Any, ...]) -> None:
        """Some nodes are cut off from the others; what is under way between them waits."""
        self._offers.clear()
        self.cut_off = frozenset(self.trial.scope.nodes.index(node) for node in nodes)

    @precondition(lambda machine: machine.cut_off)
    @rule()
    def heal(self) -> None:
        """The partition ends."""
        self._offers.clear()
        self.cut_off = frozenset()

    @precondition(is_over)
    @rule()
    def idle(self) -> None:
        """Nothing can happen any more."""

    @precondition(_may("reorder"))
    @rule(message=_offered("reorder"))
    def reorder(self, message: Offer) -> None:
        """A message overtakes an older one of its link."""
        self.happen(message.option)

    @precondition(_may("restart"))
    @rule(node=_offered("restart"))
    def restart(self, node: Offer) -> None:
        """A node crashes and starts again."""
        self.happen(node.option)

    @precondition(_may("submit"))
    @rule(command=_offered("submit"))
    def submit(self, command: Offer) -> None:
        """A client submits a command for the first time."""
        self.happen(command.option)

    @precondition(_may("submit_again"))
    @rule(command=_offered("submit_again"))
    def submit_again(self, command: Offer) -> None:
        """A client that had no answer submits its command again, to the same node or another."""
        self.happen(command.option)

    @precondition(_may("tear"))
    @rule(step=_offered("tear"))
    def tear(self, step: Offer) -> None:
        """A crash cuts a step short."""
        self.happen(step.option)

    # --- what it does ----------------------------------------------------------------------------

    def _following(self, options: list[Option]) -> Option:
        """What is delivered when nobody chooses: to each node in turn."""
        later = (option for option in options if option.node > self._turn)
        return next(later, options[0])

    def happen(self, option: Option) -> None:
        """Let an option happen, and judge what comes of it."""
        self._offers.clear()
        self._turn = option.node
        wrong: tuple[str, ...] = ()
        try:
            if take(self.stage, option):
                wrong = self.trial.judge.after(self.stage, option.node)
                self._look()
        except ImplementationRaised:
            wrong = (RAISES,)
        self._fail_on(wrong, self.stage.actions)

    def _look(self) -> None:
        """Look at what a step has changed."""

    def _fail_on(self, wrong: tuple[str, ...], actions: Sequence[Action]) -> None:
        if wrong:
            self.failed = True
            last = current_build_context().is_final
            raise self.trial.failure(actions, wrong[0], last=last)


class SwarmMachine(ClusterMachine):
    """Strategy *swarm*: only some kinds of faults happen in a run, and messages flow between."""

    burst = BURST

    @initialize(faults=st.sets(st.sampled_from(FAULTS)).map(lambda kinds: tuple(sorted(kinds))))
    def allow(self, faults: tuple[str, ...]) -> None:
        """Choose the kinds of faults that may happen in this run."""
        self.faults = faults
        self._offers.clear()


class PriorityMachine(ClusterMachine):
    """Strategy *priority*: the link with the highest priority goes first, until that changes.

    It does so a bounded number of times (PCT, see ``walks.strategies.Priorities``).
    """

    burst = BURST

    def __init__(self) -> None:
        self._order: dict[tuple[int, int], int] = {}
        self._changes = 0
        super().__init__()

    @initialize(data=st.data())
    def rank(self, data: st.DataObject) -> None:
        """Choose the priorities of the links."""
        indices = range(len(self.stage.states))
        links = [(index, source) for index in indices for source in indices if index != source]
        ranked = data.draw(st.permutations(links), label="links, the first to go first")
        self._order = {link: place for place, link in enumerate(ranked)}

    def _listed(self, name: str) -> list[Option]:
        listed = super()._listed(name)
        return sorted(listed, key=self._place)[:1] if name == "deliver" else listed

    def _place(self, option: Option) -> int:
        """Where the link of a delivery comes; a node's messages to itself come first."""
        index = option.node
        ordered = self.stage.links == "ordered"
        source = (
            option.which
            if ordered
            else self.stage.reactions.source(self.stage.fresh[index][option.which])
        )
        return self._order.get((index, source), -1)

    @precondition(lambda machine: machine.may_demote())
    @rule()
    def demote(self) -> None:
        """The link that goes first now is the last from here on."""
        (first,) = self.offers("deliver")
        place = self._place(first)
        link = next(link for link, known in self._order.items() if known == place)
        self._changes += 1
        self._order[link] = len(self._order) + self._changes
        self._offers.clear()

    def may_demote(self) -> bool:
        """Whether priorities may change once more, and that means anything."""
        waiting = self.offers("deliver")
        return self._changes < CHANGES_MAX and bool(waiting) and self._place(waiting[0]) >= 0


class TargetedMachine(SwarmMachine):
    """Strategy *targeted*: as *swarm*, and Hypothesis goes where a run is more contested."""

    def __init__(self) -> None:
        self._most = Landmarks(0, 0, 0, 0)
        super().__init__()

    def _look(self) -> None:
        histories = self.stage.reactions.histories
        found = landmarks([histories[history] for history in self.stage.histories])
        self._most = Landmarks(*map(max, self._most, found))

    def teardown(self) -> None:
        """Tell Hypothesis how contested the run was."""
        if not self.failed:
            for name, number in self._most._asdict().items():
                target(number, label=name.replace("_", " "))


MACHINES: Final[Mapping[str, type[ClusterMachine]]] = MappingProxyType(
    {
        "uniform": ClusterMachine,
        "swarm": SwarmMachine,
        "priority": PriorityMachine,
        "targeted": TargetedMachine,
    }
)


def machine_class(trial: Trial, strategy: str) -> type[ClusterMachine]:
    """A machine for this trial. Hypothesis knows its examples again by the name of the class."""
    words: Iterable[str] = re.findall(r"\w+", implementation_name(trial.implementation))
    name = "_".join((*words, strategy))
    kind = MACHINES[strategy]
    return type(name, (kind,), {"trial": trial, "__doc__": kind.__doc__, "__module__": __name__})
