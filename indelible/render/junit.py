"""Results as JUnit XML, in the form that Jenkins, GitLab, and the tools for GitHub read.

A pure function: a suite for each check, a case for each property, no clock and no host, so that the
same results are the same text. What XML cannot hold (control characters) is written as an escape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree

from indelible.check_result import Case, CheckResult
from indelible.render.text import render_text
from indelible.render.words import one_line

__all__ = ["render_junit"]

NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""See https://www.w3.org/TR/xml/#charsets."""


def render_junit(results: Sequence[CheckResult]) -> str:
    """The whole document. A case that was not decided is an error or skipped, never passed."""
    suites = ElementTree.Element(
        "testsuites",
        {
            "name": "indelible",
            **_counts([case for result in results for case in result.cases]),
            "time": f"{sum(result.seconds for result in results):.3f}",
        },
    )
    for result in results:
        _add_suite(suites, result)
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _add_suite(suites: ElementTree.Element, result: CheckResult) -> None:
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        {
            "name": _allowed(result.name),
            **_counts(result.cases),
            "time": f"{result.seconds:.3f}",
        },
    )
    _add_properties(suite, (("verdict", result.headline), *result.facts))
    for case in result.cases:
        _add_case(suite, result, case)


def _add_case(suite: ElementTree.Element, result: CheckResult, case: Case) -> None:
    names = {"classname": _allowed(result.name), "name": _allowed(case.name)}
    element = ElementTree.SubElement(suite, "testcase", names)
    _add_properties(element, _of_case(result, case))
    if case.status == "passed":
        return
    kind = {"failed": "failure"}.get(case.status, case.status)
    told = ElementTree.SubElement(
        element,
        kind,
        {"type": case.result or result.outcome, "message": _allowed(one_line(case.says))},
    )
    texts = [render_text(each) for each in case.evidence] or [case.says]
    told.text = _allowed("\n\n".join(texts))


def _of_case(result: CheckResult, case: Case) -> Iterable[tuple[str, str]]:
    """What a reader who sees one case wants to know of it, and of the whole check."""
    yield "result", case.status
    yield "verdict", case.result or result.outcome
    if result.scope:
        yield "scope", result.scope
    for name, value in result.facts:
        if name in ("states", "depth", "seed"):
            yield name, value


def _add_properties(parent: ElementTree.Element, facts: Iterable[tuple[str, str]]) -> None:
    properties = ElementTree.SubElement(parent, "properties")
    for name, value in facts:
        ElementTree.SubElement(
            properties, "property", {"name": _allowed(name), "value": _allowed(one_line(value))}
        )


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    statuses = [case.status for case in cases]
    return {
        "tests": str(len(statuses)),
        "failures": str(statuses.count("failed")),
        "errors": str(statuses.count("error")),
        "skipped": str(statuses.count("skipped")),
    }


def _allowed(text: str) -> str:
    return NOT_IN_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
