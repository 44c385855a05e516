"""Kinds of subtitle files that people have, each with its right value: see ``subtitle_files.py``."""

from __future__ import annotations

from pathlib import Path

import pytest
from subtitle_files import Case, read_cases

CASES = [case for case in read_cases() if not case.is_foreign]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.kind}: {case.name}" for case in CASES])
def test_a_case_comes_to_its_right_value(case: Case, tmp_path: Path) -> None:
    assert [what for what, holds in case.checks(tmp_path) if not holds] == []
