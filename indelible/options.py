"""Options: how the words of a command line become bounds. Nothing here knows what is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeAlias

import click

from indelible.model.errors import ScopeError
from indelible.model.events import NodeId, Timer, node_name
from indelible.model.scope import LINKS, Links, Scope

__all__ = [
    "BOUND",
    "COUNT",
    "DURATION",
    "MEMORY",
    "NUMBER",
    "UNBOUNDED",
    "Output",
    "changed_scope",
    "limit_options",
    "other_target",
    "output_options",
    "scope_options",
    "target_argument",
    "target_option",
]

Command: TypeAlias = Callable[..., Any]

THOUSANDS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
BINARY: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
SECONDS: Final = {"": 1, "ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600}

UNBOUNDED: Final = "none"


def _scaled(text: str, units: Mapping[str, float]) -> float | None:
    """A number with one of the units, or ``None`` if the text is no such thing."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?(?:e\d+)?)([a-z]*)", re.sub(r"[\s_,]", "", text.lower()))
    if match is None or match[2] not in units:
        return None
    try:
        return float(match[1]) * units[match[2]]
    except OverflowError:
        return None


class _Amount(click.ParamType[Any]):
    """A number above 0, perhaps with a unit."""

    def __init__(self, name: str, units: Mapping[str, float], example: str, *, whole: bool) -> None:
        self.name, self.units, self.example, self.whole = name, units, example, whole

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        units = self.units
        text = str(value)
        if units is BINARY:
            text = re.sub(r"(?i)i?b$", "", text)
        amount = _scaled(text, units)
        if amount is None or not 0 < amount < 2**63 or (self.whole and amount < 1):
            self.fail(f"{value!r} is not a {self.name}; write it as {self.example}", param, ctx)
        return int(amount) if self.whole else amount


class _Bound(click.ParamType[Any]):
    """A whole number from 0, or ``none`` where nothing is bounded."""

    name = "N|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = str(value).strip()
        if text == UNBOUNDED:
            return text
        if not re.fullmatch(r"\d+", text):
            self.fail(f"{value!r} is neither a whole number from 0 nor '{UNBOUNDED}'", param, ctx)
        return int(text)


class _Timeouts(_Bound):
    """One bound for all timers of a node, or one per timer: ``election=1,retransmit=0``."""

    name = "N|none|TIMER=N,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if "=" not in str(value):
            return super().convert(value, param, ctx)
        bounds: dict[Timer, Any] = {}
        for part in str(value).split(","):
            timer, equals, bound = part.partition("=")
            if not equals or not timer.strip():
                self.fail(f"{part!r} is not of the form TIMER=N", param, ctx)
            bounds[timer.strip()] = super().convert(bound, param, ctx)
        return bounds


class _Names(click.ParamType[Any]):
    """Names with commas between them."""

    name = "NAME,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(name.strip() for name in value.split(",") if name.strip())


class _Nodes(_Names):
    """How many nodes, or their names."""

    name = "N|NAME,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A single number says how many; anything else names them."""
        names = super().convert(value, param, ctx)
        if len(names) == 1 and names[0].removeprefix("-").isdecimal():
            return int(names[0])
        return tuple(int(name) if name.isdecimal() else name for name in names)


def _together(context: click.Context, option: click.Parameter, given: tuple[Any, ...]) -> Any:
    """An option that is given several times says all of it, as if it stood between commas."""
    if len(given) < 2:
        return given[0] if given else None
    if all(isinstance(each, tuple) for each in given):
        return tuple(name for each in given for name in each)
    said: dict[Any, Any] = {}
    for each in given:
        if not isinstance(each, dict) or said.keys() & each.keys():
            raise click.BadParameter("it is given twice, and says two things", context, option)
        said |= each
    return said


NUMBER: Final = _Amount("whole number above 0", THOUSANDS, "1_000, 1e6 or 10M", whole=True)
COUNT: Final = _Amount("number of states", THOUSANDS, "1_000_000, 1e6 or 10M", whole=True)
MEMORY: Final = _Amount("size", BINARY, "512M or 4G", whole=True)
DURATION: Final = _Amount("time", SECONDS, "30s, 2m or 1h", whole=False)
BOUND: Final = _Bound()
TIMEOUTS: Final = _Timeouts()
NAMES: Final = _Names()
NODES: Final = _Nodes()


SCOPE_OPTIONS: Final = (
    click.option(
        "--nodes", type=NODES, metavar="N|NAME,...", help="How many nodes, or their names."
    ),
    click.option(
        "--commands",
        type=NAMES,
        multiple=True,
        callback=_together,
        metavar="NAME,...",
        help="What clients may submit.",
    ),
    click.option(
        "--submissions", type=BOUND, metavar="N|none", help="How often each command, in all."
    ),
    click.option(
        "--may-submit",
        type=NAMES,
        multiple=True,
        callback=_together,
        metavar="NODE,...|COMMAND=NODE,...|all",
        help="To whom clients submit.",
    ),
    click.option(
        "--timeouts",
        type=TIMEOUTS,
        multiple=True,
        callback=_together,
        metavar="N|none|TIMER=N,...",
        help="How often timers may fire, per node, or timer by timer.",
    ),
    click.option(
        "--may-time-out",
        type=NAMES,
        multiple=True,
        callback=_together,
        metavar="NODE,...|all",
        help="Whose timers may fire at all.",
    ),
    click.option(
        "--restarts", type=BOUND, metavar="N|none", help="How many crashes and restarts in all."
    ),
    click.option("--torn/--no-torn", default=None, help="May a crash cut a step short?"),
    click.option(
        "--links", type=click.Choice(LINKS), help="What messages may suffer on their way."
    ),
)

LIMIT_OPTIONS: Final = (
    click.option(
        "--max-states", "states_max", type=COUNT, metavar="N", help="Give up there: 1e6, 10M."
    ),
    click.option(
        "--max-depth",
        "depth_max",
        type=COUNT,
        metavar="N",
        help="Judge no longer behaviours.",
    ),
    click.option(
        "--max-memory",
        "memory_bytes_max",
        type=MEMORY,
        metavar="SIZE",
        help="Give up there: 512M, 4G. Default: most of what the machine has left.",
    ),
    click.option(
        "--time-limit", "seconds_max", type=DURATION, metavar="TIME", help="Give up then: 30s, 2m."
    ),
)


@dataclass(frozen=True, slots=True)
class Output:
    """How results are to be told: the options of that name, and the files to write.

    ``progress`` is ``None`` where a terminal decides, ``traces`` the folder for counterexamples, if
    they are kept.
    """

    json: bool
    quiet: bool
    progress: bool | None
    junit: Path | None = None
    traces: Path | None = None


def target_argument(command: Command) -> Command:
    """``TARGET``, or ``--exec`` with a command line; the command gets either as ``target``."""
    argument = click.argument("target", required=False)
    process = click.option(
        "--exec", "command_line", metavar="COMMAND",
        help="The target is a process that this starts (docs/process-protocol.md).",
    )  # fmt: skip
    return argument(process(_either("target", "TARGET", command)))


def target_option(says: str) -> Callable[[Command], Command]:
    """``--target``, or ``--exec`` with a command line; the command gets either as ``other``."""
    target = click.option("--target", "other", metavar="TARGET", help=says)
    process = click.option(
        "--exec", "command_line", metavar="COMMAND",
        help="The same for a process that this starts.",
    )  # fmt: skip
    return lambda command: target(process(_either("other", "--target", command)))


other_target: Final = target_option("On this target, and not on the one that the document names.")


def _either(name: str, shown: str, command: Command) -> Command:
    @wraps(command)
    def either(*positional: Any, command_line: str | None, **given: Any) -> Any:
        if command_line is not None:
            if given[name] is not None:
                raise click.UsageError(f"{shown} and --exec both name what is on trial: give one")
            given[name] = f"exec:{command_line}"
        return command(*positional, **given)

    return either


def scope_options(command: Command) -> Command:
    """Options that change a scope; the command gets those given as ``scope_fields``."""
    return _gathered("scope_fields", SCOPE_OPTIONS)(command)


def limit_options(command: Command) -> Command:
    """Options that bound a search; the command gets those given as ``limits``."""
    return _gathered("limits", LIMIT_OPTIONS)(command)


def output_options(command: Command) -> Command:
    """``--json``, ``--quiet``, and whether to show progress."""
    for option in (
        click.option("--progress/--no-progress", default=None, help="On stderr, while it runs."),
        click.option("--quiet", "-q", is_flag=True, help="Print one line, and no progress."),
        click.option("--json", is_flag=True, help="Print one JSON object (docs/json.md)."),
    ):
        command = option(command)
    return command


def _gathered(name: str, options: tuple[Command, ...]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        @wraps(command)
        def gathering(**given: Any) -> Any:
            mine = {key: given.pop(key) for key in keys}
            given[name] = {key: value for key, value in mine.items() if value is not None}
            return command(**given)

        known = list(getattr(gathering, "__click_params__", ()))
        gathering.__click_params__ = []  # type: ignore[attr-defined]
        decorated: Any = gathering
        for option in reversed(options):
            decorated = option(decorated)
        keys = [parameter.name for parameter in decorated.__click_params__]
        decorated.__click_params__ = known + decorated.__click_params__
        return decorated  # type: ignore[no-any-return]

    return decorate


def changed_scope(
    base: Scope,
    *,
    nodes: int | tuple[NodeId, ...] | None = None,
    commands: tuple[str, ...] | None = None,
    submissions: int | str | None = None,
    may_submit: tuple[NodeId, ...] | Mapping[str, tuple[NodeId, ...]] | None = None,
    timeouts: int | str | dict[Timer, Any] | None = None,
    may_time_out: tuple[NodeId, ...] | None = None,
    restarts: int | str | None = None,
    torn: bool | None = None,
    links: Links | None = None,
) -> Scope:
    """``base`` with the fields that were given; ``None`` means not given. Raises ``ScopeError``.

    Nodes may be given as people name them: ``1`` is node 1, and so are ``"1"`` and ``"n1"``.
    """
    fields: dict[str, Any] = {}
    if nodes is not None:
        fields["nodes"] = nodes
        called = Scope(nodes=fields["nodes"]).nodes
        fields["may_submit"] = _moved_by_command(base, called)
        fields["may_time_out"] = _moved(base, base.may_time_out, called)
    if commands is not None:
        fields["commands"] = commands
        allowed = fields.get("may_submit", base.may_submit)
        if isinstance(allowed, Mapping):
            fields["may_submit"] = {known: allowed[known] for known in commands if known in allowed}
    nodes_now = replace(base, **fields).nodes
    if may_submit is not None:
        fields["may_submit"] = _may_submit(may_submit, nodes_now)
    if may_time_out is not None:
        fields["may_time_out"] = _named("may_time_out", may_time_out, nodes_now)
    if submissions is not None:
        fields["submissions_max"] = _bound(submissions)
    if timeouts is not None:
        fields["timeouts_max"] = _timeouts_max(timeouts, base)
    if restarts is not None:
        fields["restarts_max"] = _bound(restarts)
        if restarts == 0 and torn is None:
            fields["torn"] = False
    if torn is not None:
        fields["torn"] = torn
    if links is not None:
        fields["links"] = links
    return replace(base, **fields)


def _bound(given: Any) -> Any:
    return None if given == UNBOUNDED else given


def _timeouts_max(given: Any, base: Scope) -> Any:
    """A bound per timer changes these timers only, where ``base`` bounds timers one by one."""
    if not isinstance(given, dict):
        return _bound(given)
    others = base.timeouts_max if isinstance(base.timeouts_max, Mapping) else {}
    return {**others, **{timer: _bound(most) for timer, most in given.items()}}


def _moved(
    base: Scope, chosen: tuple[NodeId, ...] | None, nodes: tuple[NodeId, ...]
) -> tuple[NodeId, ...] | None:
    """Chosen nodes keep their places among the nodes, whatever these are called now."""
    if chosen is None:
        return None
    places = [base.nodes.index(node) for node in chosen]
    return tuple(nodes[place] for place in places if place < len(nodes))


def _moved_by_command(base: Scope, nodes: tuple[NodeId, ...]) -> Any:
    if isinstance(base.may_submit, Mapping):
        return {known: _moved(base, to, nodes) for known, to in base.may_submit.items()}
    return _moved(base, base.may_submit, nodes)


def _may_submit(
    given: tuple[NodeId, ...] | Mapping[str, tuple[NodeId, ...]], nodes: tuple[NodeId, ...]
) -> Any:
    """Nodes; or nodes command by command, as a mapping or in words: ``a=n0,a=n1,b=n2``."""
    if not isinstance(given, Mapping):
        if not any("=" in str(part) for part in given):
            return _named("may_submit", given, nodes)
        given = _by_command(given)
    named = {command: _named("may_submit", to, nodes) for command, to in given.items()}
    return {command: nodes if to is None else to for command, to in named.items()}


def _by_command(given: tuple[NodeId, ...]) -> dict[str, tuple[NodeId, ...]]:
    by_command: dict[str, tuple[NodeId, ...]] = {}
    for part in given:
        command, equals, name = str(part).partition("=")
        if not equals:
            raise ScopeError(
                f"--may-submit has {part!r} among commands with their nodes",
                remedy="write COMMAND=NODE for each, as in a=n0,b=n1",
            )
        by_command[command] = (*by_command.get(command, ()), name)
    return by_command


def _named(
    field: str, given: tuple[NodeId, ...], nodes: tuple[NodeId, ...]
) -> tuple[NodeId, ...] | None:
    if given == ("all",):
        return None
    by_name = {str(node): node for node in nodes} | {node_name(node): node for node in nodes}
    for name in given:
        if str(name) not in by_name:
            raise ScopeError(
                f"{field} names {name!r}, which is not a node",
                available=", ".join(map(node_name, nodes)) + ", or 'all'",
            )
    return tuple(by_name[str(name)] for name in given)
