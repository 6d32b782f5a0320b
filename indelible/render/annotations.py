"""Results as annotations: the workflow commands by which GitHub Actions puts a message on a run.

A pure function. One line for each violated property, and one for each check that was not decided.
GitHub shows ten errors of a step and 4,096 characters of each; the rest would be lost unseen, so
the last line says what there is besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from indelible.check_result import GOOD, Case, CheckResult
from indelible.render.words import one_line, shortened

__all__ = ["ANNOTATIONS_MAX", "MESSAGE_MAX", "render_annotations"]

ANNOTATIONS_MAX: Final = 10
MESSAGE_MAX: Final = 4096
TITLE_MAX: Final = 255

# The last place is kept for how many there are besides.
SHOWN_MAX: Final = ANNOTATIONS_MAX - 1


class _Annotation(NamedTuple):
    title: str
    message: str
    place: tuple[str, int] | None = None


def render_annotations(results: Sequence[CheckResult], root: Path) -> list[str]:
    """The lines to print; ``root`` is the folder of the repository, to which files are relative."""
    annotations = [each for result in results for each in _annotations(result)]
    if len(annotations) > ANNOTATIONS_MAX:
        more = len(annotations) - SHOWN_MAX
        says = "; ".join(each.title for each in annotations[SHOWN_MAX:])
        annotations[SHOWN_MAX:] = [_Annotation(f"and {more} more", says)]
    return [_line(each, root) for each in annotations]


def _annotations(result: CheckResult) -> Iterator[_Annotation]:
    if result.outcome in GOOD:
        return
    failed = [case for case in result.cases if case.status == "failed"]
    for case in failed:
        title = f"{result.name}: {case.name} is violated"
        yield _Annotation(title, "\n".join(_told(case)), result.place)
    if not failed:
        outcome, _, says = result.headline.partition(": ")
        yield _Annotation(f"{result.name}: {outcome}", says, result.place)


def _told(case: Case) -> Iterator[str]:
    yield one_line(case.says)
    for evidence in case.evidence[:1]:
        decisive = evidence.explanation.decisive
        if decisive is not None:
            yield f"Decisive: step {decisive.step}: {one_line(decisive.says)}"
        count = len(evidence.trace)
        yield f"The counterexample of {count} event{'' if count == 1 else 's'} is in the summary."


def _line(annotation: _Annotation, root: Path) -> str:
    title = shortened(one_line(annotation.title), TITLE_MAX)
    properties = [f"title={_property(title)}"]
    if annotation.place is not None:
        file, line = annotation.place
        if Path(file).is_relative_to(root):
            relative = Path(file).relative_to(root).as_posix()
            properties += [f"file={_property(relative)}", f"line={line}"]
    message = shortened(annotation.message, MESSAGE_MAX)
    return f"::error {','.join(properties)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
