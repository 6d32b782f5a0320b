"""Trace files: names, numbers, and that a file is replaced as a whole or not at all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indelible import Submit
from indelible.model.errors import TraceError
from indelible.model.trace import Evidence
from indelible.model.trace_document import document_text
from indelible.trace_files import (
    check_folder,
    keep_trace,
    mark_fixed,
    read_trace,
    trace_paths,
    write_file,
)
from support.documents import evidence_found, evidence_played

PLAIN = "support.odd_targets:Plain"
NAME = "support.odd_targets-Plain-agreement"


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return evidence_found(PLAIN)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_trace_is_kept_under_the_names_of_target_and_property(
    evidence: Evidence, tmp_path: Path
) -> None:
    path = keep_trace(evidence, tmp_path / "a" / "b")
    assert path == tmp_path / "a" / "b" / f"{NAME}.itf.json"
    assert path.read_bytes() == document_text(evidence).encode("ascii")


def test_the_same_events_are_kept_once(evidence: Evidence, tmp_path: Path) -> None:
    path = keep_trace(evidence, tmp_path)
    otherwise = replace(evidence, found={"by": "luck"}, length="as found")
    assert keep_trace(otherwise, tmp_path) == path
    mark_fixed(path, read_trace(path))
    assert keep_trace(evidence, tmp_path) == path
    assert names(tmp_path) == [f"{NAME}.itf.json"]
    assert read_trace(path).fixed
    assert read_trace(path).recorded().found == evidence.found


@pytest.mark.parametrize(
    "other",
    [
        lambda _: evidence_played(PLAIN, [(0, Submit("b")), (0, Submit("a"))]),
        lambda _: evidence_found(PLAIN, submissions_max=1),
        lambda evidence: replace(evidence, property="rules:agreement"),
    ],
    ids=["events", "scope", "property"],
)
def test_other_events_get_a_number(other: Any, evidence: Evidence, tmp_path: Path) -> None:
    first = keep_trace(evidence, tmp_path)
    text = first.read_bytes()
    for _ in range(2):
        assert keep_trace(other(evidence), tmp_path).name == f"{NAME}-2.itf.json"
    assert first.read_bytes() == text


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"#meta": {"indelible": {}}}'])
def test_what_cannot_be_read_is_not_overwritten(
    content: bytes, evidence: Evidence, tmp_path: Path
) -> None:
    path = tmp_path / f"{NAME}.itf.json"
    path.write_bytes(content)
    assert keep_trace(evidence, tmp_path).name == f"{NAME}-2.itf.json"
    assert path.read_bytes() == content


def test_a_name_has_nothing_that_a_file_system_minds(evidence: Evidence, tmp_path: Path) -> None:
    odd = replace(evidence, target="../..//a b:C\x00*?")
    assert keep_trace(odd, tmp_path).relative_to(tmp_path) == Path("a-b-C-agreement.itf.json")
    nameless = replace(evidence, target="")
    assert keep_trace(nameless, tmp_path).name == "Plain-agreement.itf.json"


def test_traces_are_found_in_order_and_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("b.itf.json", "a.itf.json", "c/a.itf.json", "notes.json", ".x.new"):
        write_file(tmp_path / place, "x")
    found = [path.relative_to(tmp_path).as_posix() for path in trace_paths(tmp_path)]
    assert found == ["a.itf.json", "b.itf.json", "c/a.itf.json"]


def test_marking_changes_one_word(evidence: Evidence, tmp_path: Path) -> None:
    path = keep_trace(evidence, tmp_path)
    before = path.read_text()
    mark_fixed(path, read_trace(path))
    assert path.read_text() == before.replace('"fixed": false', '"fixed": true')


# --- writing --------------------------------------------------------------------------------------


def test_two_processes_keep_both_of_their_traces(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each looks before the other has written."""
    other = evidence_played(PLAIN, [(0, Submit("b")), (0, Submit("a"))])
    keep_trace(other, tmp_path)
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    keep_trace(evidence, tmp_path)
    assert names(tmp_path) == [f"{NAME}-2.itf.json", f"{NAME}.itf.json"]
    assert (tmp_path / f"{NAME}.itf.json").read_text() == document_text(other)
    assert keep_trace(other, tmp_path).name == f"{NAME}.itf.json"


def test_a_file_system_without_links(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", fail)
    path = keep_trace(evidence, tmp_path)
    assert path.read_text() == document_text(evidence)
    assert names(tmp_path) == [path.name]


def test_a_failure_in_the_middle_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    write_file(path, "old")

    def fail(*_: object) -> None:
        assert len(names(tmp_path)) == 2, "the new file is beside the old one"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(TraceError, match="cannot be written: No space left on device"):
        write_file(path, "new")
    assert (path.read_text(), names(tmp_path)) == ("old", ["x"])


def test_an_interrupt_in_the_middle_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    write_file(path, "old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, "new")
    assert (path.read_text(), names(tmp_path)) == ("old", ["x"])


@pytest.mark.skipif(os.name == "nt", reason="there are no such modes")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_new_files_have_the_mode_that_is_asked_for(mask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        write_file(tmp_path / "x", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == mode


def test_a_link_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "file")
    write_file(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "file").read_text() == "text"


def test_what_is_no_file_is_written_to() -> None:
    write_file(Path(os.devnull), "text")
    assert not Path(os.devnull).is_file()


def test_text_that_has_no_form_in_a_file_is_escaped(tmp_path: Path) -> None:
    write_file(tmp_path / "x", "é \ud800\n")
    assert (tmp_path / "x").read_bytes() == b"\xc3\xa9 \\ud800\n"


def test_a_folder_that_is_a_file_is_told(evidence: Evidence, tmp_path: Path) -> None:
    (tmp_path / "traces").write_text("mine")
    for act, remedy in (
        (check_folder, "choose another folder with --traces"),
        (lambda folder: keep_trace(evidence, folder), "choose another place"),
    ):
        with pytest.raises(TraceError) as raised:
            act(tmp_path / "traces")
        assert str(tmp_path / "traces") in raised.value.fact
        assert raised.value.remedy == remedy
    assert names(tmp_path) == ["traces"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do anything")
def test_a_folder_that_may_not_be_written_to_is_told(evidence: Evidence, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        for act in (check_folder, lambda folder: keep_trace(evidence, folder)):
            with pytest.raises(TraceError):
                act(tmp_path / "traces")
    finally:
        tmp_path.chmod(0o700)


def test_checking_a_folder_makes_none(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_reading_what_is_no_file_lists_what_there_is(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = keep_trace(evidence)
    for path in (Path("nowhere"), Path("traces"), kept / "x"):
        with pytest.raises(TraceError) as raised:
            read_trace(path)
        assert raised.value.fact.startswith(f"{path} cannot be read: ")
        assert raised.value.available == str(kept)
