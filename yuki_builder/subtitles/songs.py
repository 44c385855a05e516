"""Songs that run over several entries: the note or hash that opens one is closed some entries later."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from yuki_builder.subtitles.drafts import Draft
from yuki_builder.subtitles.reasons import LeftOut

_NOTE = re.compile(r"\s*[♪♫♬♩🎵🎶¶]")
_HASH = re.compile(r"\s*[#＃](?=\s*[^\d\s])")
_CLOSED = re.compile(r"[♪♫♬♩🎵🎶¶#＃]\s*$")
_SENTENCE_END = re.compile(r"[.!?。！？]\s*$")
_GAP_MS = 2000
_MOST = 4  # entries of one verse


def mark_runs(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts with songs left out that begin in one entry and end in a later one."""
    found = list(drafts)
    kept = [k for k, draft in enumerate(drafts) if draft.left_out is None and draft.lines and not draft.is_plain]
    opening = [k for k in kept if _opens(drafts[k])]
    if not opening:
        return found
    spoken = [k for k, draft in enumerate(drafts) if draft.left_out is None and draft.lines]
    place = {k: j for j, k in enumerate(spoken)}
    hashes = sum(_HASH.match(drafts[k].lines[0]) is not None and _closes(drafts[k]) for k in opening)
    for k in opening:
        if _closes(drafts[k]):
            continue
        run = _run(drafts, spoken[place[k] : place[k] + _MOST])
        if not run and hashes and _HASH.match(drafts[k].lines[0]):
            run = [k]  # the file writes its songs between hashes, and this one was never closed
        for j in run:
            found[j] = drafts[j].without(LeftOut.SONG)
    return found


def _run(drafts: Sequence[Draft], entries: Sequence[int]) -> list[int]:
    """The entries from the first, which opens a song, to the one that closes it; none where nothing does."""
    is_hash = _HASH.match(drafts[entries[0]].lines[0]) is not None
    for n, (before, k) in enumerate(pairwise(entries), start=2):
        if _opens(drafts[k]) or drafts[k].start_ms - drafts[before].end_ms > _GAP_MS:
            return []
        if _closes(drafts[k]):
            return list(entries[:n]) if is_hash is (drafts[k].lines[-1].rstrip()[-1] in "#＃") else []
        if _SENTENCE_END.search(drafts[k].lines[-1]):
            return []
    return []


def _opens(draft: Draft) -> bool:
    return _NOTE.match(draft.lines[0]) is not None or _HASH.match(draft.lines[0]) is not None


def _closes(draft: Draft) -> bool:
    return _CLOSED.search(draft.lines[-1]) is not None
