"""What is cheap to look for must be there wherever the full patterns find an advertisement or a credit."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.subtitles import notices
from yuki_builder.subtitles.cleaning import clean

_VOCABULARY = (
    "subtitles Subs synced by BY von des por da di af door oleh a cura di: Anna Ben Mewa Redaktor redaktor Legendagem "
    "Untertitel im Auftrag ZDF Untertitelung Copyright (c) C) 2011 fansub Team team Directed and Written produced "
    "korrektur translation Traduction edited Timing encoded - – : & + , Visit become a VIP member remove all ads from "
    "OpenSubtitles.org advertise your product or brand help other users to choose the best please rate this subtitle "
    "watch any online video movies series YTS YIFY downloaded use enter the free promo code at on amara.org podnapisi "
    "字幕由 提供 仅供学习 转载请 更多影视 请关注 严禁商业 перевод субтитры редактор תרגום dog Hello there . ! 25.000"
)
_WORDS = st.sampled_from(_VOCABULARY.split())
_ROWS = st.lists(st.lists(_WORDS, min_size=1, max_size=8).map(" ".join), min_size=1, max_size=2)


@settings(max_examples=600)
@given(_ROWS)
def test_nothing_is_missed_by_looking_for_signs_first(rows: list[str]) -> None:
    text = " ".join(rows)
    lowered = text.casefold()
    if notices._ADVERTISEMENTS.search(text):
        assert any(word in lowered for word in notices._ADVERTISING)
    if any(notices._is_credit(row, is_edge=is_edge) for row in rows for is_edge in (False, True)):
        assert notices._may_be_credit(text, lowered, notices.Signs())
    if notices._DOMAIN.search(text):
        assert notices._DOT_INSIDE.search(text) or "://" in text
    whole = notices.Signs.of([["Hello there."], rows])
    for is_edge in (False, True):
        assert notices.notice_reason(rows, is_edge=is_edge, signs=whole) == notices.notice_reason(
            rows, is_edge=is_edge, signs=notices.Signs()
        )
    if notices._FRAME_RATE.fullmatch(text.strip()):
        assert text.strip()[:1].isdecimal()


@settings(max_examples=600)
@given(
    st.from_regex(notices._NOTE, alphabet=st.characters(max_codepoint=126)), st.text(st.characters(max_codepoint=126))
)
def test_no_note_is_missed_by_looking_at_its_first_letters(mark: str, rest: str) -> None:
    for row in clean(mark + rest, is_ass=False).lines:
        if notices._is_note(row):
            assert notices._may_hold_note(row)
