"""Rows that say who made a subtitle file, told by their words: `Překlad titulků: Jana`, `Resync & OCR fixed by Gull`.

What stands before the colon, or before the word for "by", is made of words for such work and of small words alone.
"""

from __future__ import annotations

import re

from yuki_builder.subtitles.vocabulary import Words, fold

WORK = Words(
    """
    subtitl* subbed subs sub fansub* softsub* hardsub* vietsub* engsub* caption* captioning translat*
    retim* resync* synced
    sync synch* synchron* timed timing timer typeset* encod* proofread* transcri* ocr segmenter*
    uploader adaptation*
    untertitel* ubersetz* korrekturles* korrekturgel* sous titr* soustitr* titrage traduc* traduct*
    traduit* relecture synchro*
    subtitul* traduz* tradutor* resincron* sincron* correccion* corregid* extraid* adaptac* legenda*
    sottotitol* tradott*
    revisione ondertitel* synchronisati* vertaling vertaald vertaler vertaalster undertext* textning svensktext*
    oversatt* oversett* oversat*
    undertekst* teksting tekster suomennos suomentan* suomentaja kaann* tekstit* napisy napisow tlumacz*
    przetlumacz* korekt*
    przeklad* dopasowanie titulk* preklad* preloz* precas* casovan* felirat* fordit* idozit* altyazi*
    ceviri* cevirmen*
    ceviren* senkron* subtitrar* traducator* sincroniz* adaptare* prevod* prijevod* prevoditel* preveo
    prevela titlov* titl
    субтитр* перевод* перевел* переведен* озвуч* тайминг* редактор* редактур* корректор* корректур*
    синхрон* переклад*
    титр* титли превод* превел* превела редакц* υποτιτλ* μεταφρασ* αποδοση επιμελεια συγχρον* διορθωσ*
    ترجمة ترجمه الترجمة الترجمه مترجم المترجم تعديل تدقيق توقيت زیرنویس ترجمه‌ی تنظیم תרגום תורגם תרגם
    תרגמה כתוביות סנכרון
    अनुवाद* उपशीर्षक* अनुवादक dịch phụ terjemahan penerjemah* diterjemah* alih þyðandi þyðing tolge
    tolkinud subtiitrid
    vertimas subtitrai tulkojums tulkoja subtitri dl webrip brrip dvdrip
    """
)
_HELPS = Words(
    """
    a an the una un une el la le los las les il der die das den o os de del della di da dos das do des
    du af av van za na to for
    and und et y e en och og i a ve та и й & with fixed errors error quality check main original this file
    all edited edit edits
    editor editing corrected corrections created made additional
    ajuste ajustes ajustado ajustada edicion revisao revisado revisada revisado revisada revision
    wersji wersja verze verzi pro version versao versione release web dl webrip bluray brrip hdtv dvdrip
    720p 1080p
    dialog dialogo dialogos dialogues dialogow dialogu διαλογων διαλογοι titulku subtitulos magyar
    szoveg svensk* norsk* dansk*
    polski* polskie czech ceske cesky cestiny turkce romana limba viet viet ngu english deutsch* german
    francais* espanol*
    italian* latino portugues* русск* українськ* ελληνικ* العربية فارسی hindi yazi bahasa đề de phu bien
    hieu dinh nguoi biên hiệu đính
    người việt ngữ text tekst tekstovi audio video qc
    сделал сделала создал создала делал vytvoril vytvorila vytvorili zpracoval tehty hecha hecho hechos
    hechas feito feitas
    تمت تم من بواسطة si alt تیم
    """
)
_BY = frozenset(
    (
        *["by", "von", "par", "por", "przez", "oleh", "bởi", "от", "від", "door", "tarafından"],
        *("از", "من", "بواسطة", 'ע"י', "ע״י", "студией", "командой"),
    )
)
_WEAK_BY = frozenset(["de", "di", "da", "del", "of", "af", "av", "a"])
_TEXT = Words("tekst tekster szoveg text texto testo teksti verze wersja version ajuste*")
_DONE = Words("сделал* создал* делал* vytvoril* zpracoval* готовил* подготовил*")
_PARTS = re.compile(r"[\s/&+,|\-–—.()\[\]_«»\"“”]+")
_HEAD = re.compile(r"(?P<head>[^:：]{2,70}?)\s*[:：]\s*(?P<who>\S.*)")
_HANDLE = re.compile(r"\w\d|\d\w|_|@|[a-zа-я][A-ZА-Я]|^\W*[-=~<\[{]")


def credited(text: str, *, is_edge: bool) -> str | None:
    """Who is said to have made the file, or None where a row says nothing of the kind.

    Args:
        text: a row, or all rows of a cue on one.
        is_edge: the cue is among the first or last of its file.
    """
    if match := _HEAD.fullmatch(text):
        return match["who"] if is_work(match["head"]) or (is_edge and _is_text(match["head"])) else None
    words = text.split()
    for k, word in enumerate(words[1:-1], start=1):
        plain = word.casefold()
        if plain in _BY and is_work(" ".join(words[:k])):
            return _named(words[k + 1 :], sum(fold(w) in WORK for w in words[:k]), is_edge=is_edge)
        if plain in _WEAK_BY and is_work(" ".join(words[:k])):
            who = " ".join(words[k + 1 :])
            return who if _HANDLE.search(who) or (is_edge and len(words) <= 6) else None
    if len(words) >= 3 and words[1] in _DONE and is_work(words[0]) and len(words) <= 5:
        return " ".join(words[2:]).rstrip(".")
    return None


def _named(who: list[str], work_words: int, *, is_edge: bool) -> str | None:
    """Who follows the word for "by", where it is a name: `The captions by Anna are wrong` names nobody as the maker."""
    text = " ".join(who)
    is_cased = text.upper() != text.lower()
    has_name = all(not w[0].isalpha() or w[0].isupper() or is_handle(w) or w in _HELPS for w in who)
    if not is_cased or has_name or is_handle(text):
        return text
    return text if len(who) == 1 and (is_edge or work_words > 1) else None


def _is_text(head: str) -> bool:
    """`Tekst`, `Magyar szöveg`: common words, which tell only where a file's makers sign."""
    words = [fold(word) for word in _PARTS.split(head) if word]
    return any(word in _TEXT for word in words) and all(word in _TEXT or word in _HELPS for word in words)


def is_handle(who: str) -> bool:
    """Whether a name is made up as those of the people on the web are: `Gaviota77`, `El_Marinero`, `JohnyX`."""
    return _HANDLE.search(who) is not None


def is_work(head: str) -> bool:
    """Whether words are for nothing but the making of subtitles."""
    words = [fold(word) for word in _PARTS.split(head) if word]
    return 1 <= len(words) <= 8 and any(word in WORK for word in words) and all(w in WORK or w in _HELPS for w in words)
