"""What the network confuses because it looks alike, put right by the letters beside it: pure functions on text."""

from __future__ import annotations

import re
import unicodedata

_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff"
_ALIKE = {"二": "ニ", "口": "ロ", "力": "カ", "工": "エ", "卜": "ト", "八": "ハ", "夕": "タ", "一": "ー", "千": "チ"}
_TO_KATAKANA = re.compile(rf"(?<=[{_KATAKANA}])[{''.join(_ALIKE)}](?=[{_KATAKANA}])")
_TAIL_TO_KATAKANA = re.compile(rf"(?<=[{_KATAKANA}]{{2}})[二口力工卜夕](?![\u4e00-\u9fff{_KATAKANA}])")
_HEAD_TO_KATAKANA = re.compile(rf"(?<![\u4e00-\u9fff])[口力工卜夕](?=[{_KATAKANA}]{{2}})")
_TO_KANJI = re.compile(rf"(?<![{_KATAKANA}])ニ(?=[人度個回年月日本枚十百千万])|ニ(?=つ)")
_CARONS = {"d": "ď", "t": "ť", "l": "ľ", "L": "Ľ"}  # drawn with an apostrophe, and read so
_CARON = re.compile("[dtlL]['’]")
_WIDE = re.compile("[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_SHAPES = re.compile(r"[\s■□▪▫●○◆◇▲△▼▽◼◻|_\\/]+")  # drawings, not text


def corrected(text: str, language: str | None = None) -> str:
    """A row as it was meant.

    Args:
        text: as read.
        language: its code, where it is known.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if not _WIDE.search(text):
        text = "".join(unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" else c for c in text)
        text = text.replace("。", ".").replace("、", ",").replace("’", "'").replace("‘", "'")
        text = re.sub(r"\s+([,.!?])", r"\1", text)
    code = (language or "").split("-")[0]
    if code in ("cs", "sk"):
        text = _CARON.sub(lambda found: _CARONS[found[0][0]], text)
    if code == "ja" or re.search("[\u3041-\u30ff]", text):
        text = _TO_KATAKANA.sub(lambda found: _ALIKE[found[0]], text)
        text = _HEAD_TO_KATAKANA.sub(lambda found: _ALIKE[found[0]], text)
        text = _TAIL_TO_KATAKANA.sub(lambda found: _ALIKE[found[0]], text)
        text = _TO_KANJI.sub("二", text)
    return "" if _SHAPES.fullmatch(text) else text
