"""Advertisements, credits of the file's makers and translators' notes: written in the file, said by nobody.

Told by what they are made of in any language: an address on the web, a role and who had it (`Napisy: Mewa`,
`Untertitel von Möwe`), the mark of a note (`TN:`, 注：, ※). A sentence that only speaks of such things stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from yuki_builder.subtitles.cleaning import is_plain
from yuki_builder.subtitles.crew import credited, is_handle, is_work
from yuki_builder.subtitles.reasons import LeftOut

_DOMAIN = re.compile(
    r"https?://\S+|\bwww\.[\w-]+(?:\.[\w-]+)*|\b[\w-]{2,40}(?:\.[\w-]{2,20})?\."
    r"(?:com|org|net|tv|mx|info|cc|ru|ua|pl|cz|hu|fr|br|nl|eu|cn|jp|kr|club|xyz|site|online|app|vip|ws|biz|top|fm|gg"
    r"|co\.\w\w|com\.\w\w)\b(?:/\S*)?|\bt\.me/\S+|\bdiscord\.gg\S*",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_HANDLE = re.compile(r"[\w.]*@[\w.]{3,}")
_CHANNEL = re.compile(
    r".{0,40}(?:facebook|instagram|twitter|telegram|patreon|youtube|discord|paypal|IG|FB|TG)\s*[:：/]\s*[/@]\S+"
    r"|.{0,12}(?:(?:公众号|公眾號)\s*[:：]\s*\S.*|(?:微信|微博|QQ群?|抖音)\s*[:：]\s*[@\d].*)",
    re.IGNORECASE,
)
_DOT_INSIDE = re.compile(r"\.[\w-]")  # every address has one
_SELLS = re.compile(
    r"subtitl|\bsubs?\b|\bsync|ripped|downloa|encod|correct|vip member|\bads?\b|advert|brand|contact|support us|visit"
    r"|\bjoin\b|telegram|discord|facebook|patreon|donat|\brate\b|watch.{0,20}free|casino|\bbet|promo|follow"
    r"|best watched|get it (?:at|on|from)|subscrib"
    r"|subt[íi]tul|legenda|sous-titr|untertitel|ondertitel|napisy|titulk|felirat|altyaz|субтитр|перевод"
    r"|переклад|смотри|скача"
    r"|ترجم|תרגום|כתוביות|υπότιτλ|字幕|翻[译譯訳]|压制|下载|訂閱|订阅|点赞|加入|官网|微博|公众号|更多|자막"
    r"|번역|ซับ|phụ đề|terjemah",
    re.IGNORECASE,
)
_ADVERTISEMENTS = re.compile(
    r"become (?:a )?vip member|remove all ads from|advertise your product or brand"
    r"|help other users to choose the best"
    r"|please rate this subtitle|watch (?:any|online) (?:video|movies|series)|opensubtitles|addic7ed|subscene"
    r"|amara\.org"
    r"|podnapisi|\bYTS\b|\bYIFY\b|downloaded from|请不吝点赞|請不吝點贊|ご視聴ありがとうございました"
    r"|字幕由.{0,20}(?:提供|制作|製作|翻译|翻譯)|仅供学习|僅供學習"
    r"|供学习交流|禁止用于(?:任何)?商业|商业用途|商業用途|请勿用于|转载请|轉載請|严禁(?:用于)?商业"
    r"|자막.{0,20}(?:배포|출처|무단)|\S*subs\b.{0,12}\bpresents?\b|paypal\.me/\S"
    r"|更多(?:影视|精彩|字幕|资源).{0,12}(?:请|尽|访问|关注)"
    r"|(?:use|enter) (?:the )?(?:free |promo )?code\b.{0,30}\b(?:at|on|for)\b",
    re.IGNORECASE,
)
# Translated by hand, the subs by the door: what follows is nobody.
_NOBODY = frozenset(("the", "a", "an", "hand", "law", "my", "your", "his", "her", "our", "their", "all"))
# What those who put videos on the web write below them, and transcribers hear where nobody speaks.
_FAREWELL = re.compile(
    r"(?:thanks|thank you)(?: so much| very much)? for (?:watching|viewing)(?:[.!]*$| (?:this|the|my|our|and)\b)"
    r"|(?:please )?(?:like and )?subscribe\b.{0,30}channel|(?:muchas )?gracias por ver\b|merci d['’]avoir regardé"
    r"|(?:vielen dank|danke) (?:fürs? |dass ).{0,12}zu(?:schauen|sehen|geschaut)|obrigad[oa] por (?:assistir|ver)"
    r"|grazie per (?:aver guardato|la visione)|спасибо за просмотр|дякую за перегляд"
    r"|dzięk(?:i|uję|ujemy) za (?:oglądanie|obejrzenie)|izlediğiniz için|bedankt voor het kijken"
    r"|tack för att (?:ni|du) tittade|(?:感谢|感謝|谢谢|謝謝)(?:您的|大家|各位)?(?:观看|觀看|收看)|ご視聴"
    r"|시청해\s?주셔서|ขอบคุณที่(?:รับชม|ดู)|cảm ơn .{0,20}(?:theo dõi|đã xem)",
    re.IGNORECASE,
)
_EDGE = " \t-–—=~*#_|.:+<>[]()（）【】《》「」♪•·★☆◆■"

# What people do for a subtitle file, in the languages of the world; what is in the second group is common speech too
# and counts only with a colon or a word for "by".
_ROLES = (
    r"subtitl(?:es?|ed|ing)|subs?|fansubs?|(?:closed )?caption(?:s|ed|ing)?|(?:re-?)?sync(?:ed"
    r"|hro(?:ni[sz](?:ed|ation))?)?"
    r"|corrections?|corrected|translat(?:ion|ions|ed|or|ors)|transcri(?:pt|ption|bed)|tim(?:ing|ed|er)"
    r"|encod(?:e|ed|er|ing)"
    r"|rip(?:ped)?|edit(?:ed|or|ing)|proofread(?:ing|er)?|typeset(?:ting|ter)?|qc|quality check(?:er)?"
    r"|upload(?:ed)?|adapted|adaptation|re-?lease[d]?|improved|modified|extracted|ocr|fixed"
    r"|untertitel(?:ung)?|übersetz(?:t|ung|er|erin)|bearbeite(?:t|itung)|bearbeitung|korrektur(?:en)?|angepasst"
    r"|sous-titr(?:es?|age|é)|traduction|traduit|traducteur|relecture|transcription|synchronisation|synchro"
    r"|subt[íi]tul(?:os|ado|ada)|traducci[óo]n|traducido|traducida|sincronizaci[óo]n|sincronizado"
    r"|correcci[óo]n|corregido|transcripci[óo]n|adaptaci[óo]n"
    r"|legendas?|legendad[oa]|legendagem|tradução|traduzid[oa]|sincronia|sincronização|sincronizad[oa]"
    r"|revisão|revisad[oa]"
    r"|sottotitol(?:i|ato)|traduzione|tradott[oi]|revisione|sincronizzazione|resynch?|a cura"
    r"|ondertitel(?:s|ing|d)|ondertiteld|vertaling|vertaald|vertaler|bewerkt|bewerking|gesynchroniseerd|controle"
    r"|undertext(?:er|ning|ad|ning)?|översättning|översatt|översättare|undertekst(?:er|et)?|tekste(?:r|t|ing)"
    r"|oversættelse|oversat|oversettelse|oversatt"
    r"|tekstit(?:ys)?|suomennos|suomentanut|käännös|kääntänyt|suomentaja|tahdistus"
    r"|napis(?:y|ów)|tłumacz(?:enie|ył|yła)?|korekta|synchronizacja|dopasowa(?:nie|ł|ła)|przekład"
    r"|przetłumaczył[a]?|opracowanie"
    r"|titulky|překlad|přeloži[l]a?|preklad|preložil[a]?|korekc[ei]|časování|načasoval[a]?|přečas(?:oval[a]?)?"
    r"|felirat(?:ok|ot)?|fordít(?:ás|otta|ó)|időzít(?:és|ette|ő)|javította|szinkron"
    r"|altyaz[ıi]|çeviri|çevirmen|çeviren|senkron(?:izasyon)?|düzenle(?:me|yen)|redaksiyon"
    r"|subtitrar(?:e|ea)|traduc(?:erea|ere|ător)|sincronizare|adaptare[a]?"
    r"|субтитр(?:ы|и)|перев[её]л[а]?|перевод(?:чик|чица)?|переклад(?:ач|ала?)?|переклав|переклала"
    r"|синхронизация|синхронізація|редактор|редактура|редагування|корректор|корректура|тайминг|таймінг"
    r"|озвуч(?:ка|ил|ено|ення)"
    r"|υπ[όο]τιτλ(?:οι|ισμός|ισμος)|μετ[άα]φραση|απ[όο]δοση|επιμ[έε]λεια|συγχρονισμ[όο]ς|διορθ[ώω]σεις"
    r"|ترجمة|ترجمه|ترجمها|تعديل|توقيت|تدقيق|مراجعة|תרגום|תורגם|תרגם|תרגמה|כתוביות|סנכרון|סונכרן|הגהה|תזמון"
    r"|字幕[组組]?|翻[译譯訳]|[校听聽]?[校对對译譯]{2}|校[对對译譯订訂]|[时時][间間]?[轴軸]|压制|壓制"
    r"|[后後]期|[监監][制製督]|片源|[译譯]者|[听聽][写寫]|特效|制作"
    r"|製作|[审審]核|[总總][监監]|日[听聽]|[润潤]色|初翻|日语字幕|日本語字幕|訳|監修"
    r"|자막(?:\s*(?:제작|제공))?|번역|싱크|수정|한글\s?자막|제작|คำบรรยาย(?:ไทย)?|ซับไทย|ผู้แปล|แปล|phụ đề"
    r"|biên dịch|người dịch"
    r"|dịch phụ đề|dịch|hiệu đính|teks film|terjemahan|penerjemah|diterjemahkan|alih bahasa|sulih teks"
)
_BY = (
    r"by|von|des|der|durch|par|por|da|di|door|av|af|przez|de|oleh|bởi|από|tarafından|a cura di|от|від|делал[аи]?|на"
    r"|על ידי|ע\"י|ע״י|بواسطة|โดย|készítette|készült|fra"
)
_CREDIT = re.compile(
    rf"(?:(?:legendas|english|german|french|spanish|italian|hungarian|magyar|deutsche?|français|en español"
    rf"|polskie|české|italiani|türkçe|русские|российские|original|the|this file)\s+)?"
    rf"(?:{_ROLES})(?:(?:\s*(?:&|,|/|\+|＆|、)\s*|\s+(?:(?:and|et|und|och|og|y|e|i|a|ve|та|и)\s+)?)(?:{_ROLES}))*"
    rf"(?:\s*[:：]|\s+(?:{_BY})(?:\s*[:：]|\s)|(?<=โดย)|(?<=แปล)โดย|\s*[-–—]\s(?=\S))\s*(?P<who>\S.*)",
    re.IGNORECASE,
)
_WORKED_ON = re.compile(
    r"(?:directed|written|produced|screenplay|story|music|created|composed"
    r"|adapted)\s+(?:and\s+\w+\s+)?by\s*:?\s+(?P<who>(?:[A-Z][\w.'’-]*\s?){1,4})$"
)
_DID_IT = re.compile(
    r"(?:přeloži|preloži|přečasova|przetłumaczy|tłumaczy|перев[её]|пере(?:кла))(?:l|ła?|ла?|в|ла)?a?\s+(?P<who>[^\W\d_].*)"
    r"|(?:fordította|çeviren|redaktor|редактор(?: субтитров)?|переводчик|корректор)\s+(?P<name>[^\W\d_].*)",
    re.IGNORECASE,
)
_MADE_FOR = re.compile(
    r"(?:sous-titrage|untertitelung|ondertiteling|legendagem|subtitulado|undertextning|textning)\s+[A-ZÀ-Ý0-9].*"
    r"|(?:переведено|озвучено|подготовлено)\s+(?:студией|командой|группой)\s+.*"
    r"|untertitel\s+im\s+auftrag\s.*|(?:\(?c\)|©|copyright)\s*(?:by\s+.*|(?:19|20)\d\d\b.*)",
    re.IGNORECASE,
)
_RTL_CREDIT = re.compile(r"(?:ترجمة|ترجمه|تعديل|تدقيق|תרגום|כתוביות|סנכרון)\s+\S+(?:\s+\S+){0,4}")
_BARE_ROLE = re.compile(
    r"(?:.{0,12}字幕[组組社](?:出品|制作|招募.*)?|\S{1,12}(?:translation|subtitles|fansub|subs)\s+team)", re.IGNORECASE
)
# 字幕翻译：王小红, 听译：小鱼 时间轴：阿浪, 字幕翻訳　佐藤 花子, 灯塔字幕组 荣誉出品
_CJK_WORK = (
    r"(?:字幕|中文|日文|英文|台词|台詞|歌词|歌詞)?(?:翻[译譯訳]|[听聽日英双雙][译譯]|[校监監][对對译譯订訂修]|[时時][间間]?[轴軸]|"
    r"[后後]期|[压壓]制|制作|製作|[润潤]色|[总總][监監]|特效|片源|[译譯]者|[审審]校|策[划劃]|发布|發佈)"
)
_CJK_CREW = re.compile(
    rf"(?:{_CJK_WORK}(?:[／/&、·]{_CJK_WORK})*\s*[:：]\s*\S{{1,16}}\s*){{2,}}"
    rf"|(?:คำ)?(?:บรรยาย|ซับ|แปล)\S{{0,20}}โดย\s*\S.{{0,40}}"
    rf"|字幕(?:翻[译譯訳]|制作|製作|校[对對译譯]|监修|監修)\s*[:：\u3000 ]\s*[^。！？!?]{{1,20}}"
    rf"|.{{1,12}}字幕[组組社]\s*(?:[荣榮][誉譽])?(?:出品|制作|製作|作品|译制|譯製|[发發]布)"
)
_COMMON_ROLE = re.compile(
    r"(?:correct\w*|edit\w*|fixed|adapted|improved|modified|releas\w*|tim\w+|extracted|upload\w*|control\w*|korrektur"
    r"|제작|수정|制作|製作|特效|后期|後期|审核)\s*(?:by\b|[:：])",
    re.IGNORECASE,
)
_FRAME_RATE = re.compile(r"\d{2}[.,]\d{1,3}(?:\s*fps)?|\d{2}\s*fps", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…。！？]\s*$")
_CJK_SPEECH = re.compile(r"[我你您他她吗嗎呢吧啊了]|です|ます|だ$|요$|다$|니다")
_CJK = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")

# Every advertisement has one of these in it, in lower case; looking for them costs a tenth.
_SIGNS_OF_ADVERTISING = (
    "vip member|remove all ads from|advertise your product|help other users|please rate|watch any|watch online"
    "|opensubtitles|addic7ed|subscene|amara.org|podnapisi|yts|yify|downloaded from|请不吝点赞|請不吝點贊"
    "|ご視聴ありがとう|字幕由|仅供学习|僅供學習|供学习交流|禁止用于|商业用途|商業用途|请勿用于|转载请|轉載請|严禁|更多|code|자막|subs|paypal.me"
)
_ADVERTISING = tuple(_SIGNS_OF_ADVERTISING.split("|"))
# Every credit in ASCII without a colon, a dash or a bracket has one of these words, or one of the others in it.
_BY_WORDS = frozenset(word for word in _BY.split("|") if " " not in word) | {
    "a",
    "of",
    "del",
    "bởi",
    'ע"י',
    "از",
    "студией",
    "командой",
}
_SIGNS_OF_CREDITS = (
    "přelož|prelož|přečas|tłumacz|перев|перек|fordít|çevir|редактор|корректор|озвуч|подготовлено|©|ترجم|تعديل|تدقيق|زیرنویس"
    "|сделал|создал|делал|готовил|vytvořil|vytvoril|zpracoval"
    "|תרגום|כתוביות|סנכרון|字幕|翻訳|subs|fansub|субтитр|titulk|자막|על ידי|subtitling"
    "|redaktor|titelung|titeling|legendagem|titulado|textning|untertitel|copyright|c)|team"
)
_OTHER_CREDITS = tuple(_SIGNS_OF_CREDITS.split("|"))

_NOTE_WORDS = (
    r"t\s?[/.]\s?[nl]\b\.?|tln?\b|tl[ -]?note"
    r"|tn(?=\s*[:：)\]）\d-])|trans(?:lat(?:or|ion))?\.?(?:['’]?s)?['’]?\s+notes?|editor(?:['’]?s)?['’]?\s+notes?|ed\.?\s+note|author(?:['’]?s)?['’]?\s+notes?|e/n\b|a/n\b"
    r"|note\s+(?:from|by|of)\s+(?:the\s+)?(?:translator|editor|author|subber)s?"
    r"|n\.?\s?(?:d\.?|del?|du|d[ao])\s?[tre]\.?(?=[\s:：)\]])|nota\s+(?:del?|da|do|dei|della|di)\s*(?:la\s+|l['’])?(?:tradu\w+|redac\w+|redat\w+|editor\w*|autor\w*)|notas?\s+(?:de|da)\s+tradu\w+"
    r"|note\s+d[eu]\s*(?:la\s+|l['’])?(?:trad\w*|rédac\w+|éditeur|auteur)"
    r"|anm(?:erkung|\.)?\s*(?:d(?:e[sr])?\.?)?\s*(?:übers\w*|ü|red\w*|verf\w*)\.?|a\.\s?d\.\s?ü\."
    r"|прим(?:ечание|ітка|\.)?\s*(?:пер\w*|ред\w*|авт\w*)\.?|п\.\s?п\.|przyp(?:is)?\.?\s*(?:tłum\w*|red\w*"
    r"|aut\w*)\.?|pozn(?:ámka|\.)?\s*(?:překl\w*|prekl\w*|red\w*)\.?"
    r"|a\s+ford(?:ító|\.)?\s*megj\w*\.?|ford\.\s*megj\.|çevirmen(?:in)?\s+notu|ç\.?\s?n\.?(?=\s*[:：])"
    r"|σ\.?\s?τ\.?\s?μ\.?|σημ(?:είωση|\.)?\s*(?:του\s+)?μετ\w*\.?"
    r"|ملاحظة\s+(?:من\s+)?المترجم|הערת\s+(?:ה)?(?:מתרגם|מתרגמת|עורך)|opm\.?\s*(?:van\s+de\s+)?(?:vert\w*"
    r"|red\w*)\.?|noot\s+van\s+de\s+(?:vert\w+|red\w+)|ö\.?\s?a\.|övers\.?\s*anm\.?|o\.?\s?a\.?(?=\s*:)"
    r"|översättarens\s+anm\w*|suom\.?\s*huom\.?"
    r"|ghi\s+chú\s+(?:của\s+)?(?:người\s+dịch)?|chú\s+thích|catatan\s+(?:penerjemah|editor)"
    r"|หมายเหตุ(?:ผู้แปล)?|역주|역자\s*주|옮긴이\s*(?:주)?|[译譯訳]者?[注註]|[译譯訳]\s?[注註]"
    r"|[编編][者辑輯]?[注註按]|作者[注註]"
)
_NOTE = re.compile(
    r"(?:(?:примечание|примітка|备注|備註|備考)\s*[:：])|n\.?\s?t\.?\s*[:：]|n/t\s*[:：]"
    r"|(?:[^\W\d_]+[- ])?anmerkung\s*[:：]"
    r"|[^\W\d_]+(?:ova|va)\s+(?:poznámka|pozn\.)\s*[:：]|"
    rf"[*＊]?\s*(?:(?:{_NOTE_WORDS})\s*\d*\s*(?:[:：.)\]）】—–-]|\s|$)|[*＊]?[注註]\d*\s*[:：]|[注注][释釋解]\s*[:：]|PS\s*：|P\.S\.\s*：|※)",
    re.IGNORECASE,
)
# How the marks of notes begin, in lower case.
_NOTE_STARTS = (
    *("t/", "t /", "t.", "t .", "tn", "tl", "tr", "ed", "e/", "au", "a/", "a.", "a f", "a\tf", "an", "no", "n.", "nd"),
    *("ub", "pr", "üb", "备", "備", "п"),
    *("n d", "pr", "po", "fo", "op", "o.", "oa", "o a", "su", "ca", "ghi", "chú"),
    *(
        "n\xa0d",
        "o\xa0a",
        "a\xa0f",
        "п",
        "ç",
        "σ",
        "م",
        "ה",
        "ö",
        "ห",
        "역",
        "옮",
        "译",
        "譯",
        "訳",
        "编",
        "編",
        "作",
        "注",
        "註",
    ),
)
_CJK_PS = re.compile(r"p\.?s\.?\s*[:：]\s*[\u3400-\u9fff]", re.IGNORECASE)
_BRACKETED_MARK = re.compile(r"[(\[（［【]\s*([^()\[\]（）［］【】:：]{1,20}?)\s*[)\]）］】](?=\s*\S)")
_PLAIN_NOTE = re.compile(r"(?:note|nota|notiz|anmerkung|remarque|примечание|備考|备注|備註)\s*[:：]", re.IGNORECASE)
_OPENING, _CLOSING = "([{（［【〔", ")]}）］】〕"
_INLINE = re.compile(r"[(\[（［【]([^()\[\]（）［］【】]{2,200})[)\]）］】]")


@dataclass(frozen=True, slots=True)
class Signs:
    """Of the words without which there is no advertisement or credit, those that are in a file: mostly none."""

    advertising: tuple[str, ...] = _ADVERTISING
    credits: tuple[str, ...] = _OTHER_CREDITS

    @classmethod
    def of(cls, cues: Iterable[Sequence[str]]) -> Signs:
        """Of the rows of each cue of the file."""
        whole = "\n".join(map(" ".join, cues)).casefold()
        return cls(tuple(w for w in _ADVERTISING if w in whole), tuple(w for w in _OTHER_CREDITS if w in whole))


def notice_reason(rows: Sequence[str], *, is_edge: bool, signs: Signs) -> LeftOut | None:
    """Why the rows of a cue are no dialogue, where an advertisement or a credit is in them.

    Args:
        rows: those of one cue.
        is_edge: the cue is among the first or the last of its file, where a bare address is no speech.
        signs: what to look for, by the file.
    """
    text = " ".join(rows)
    lowered = text.casefold()
    if _is_advertisement(rows, text, lowered, is_edge=is_edge, signs=signs):
        return LeftOut.ADVERTISEMENT
    if text.lstrip()[:1].isdecimal() and _FRAME_RATE.fullmatch(text.strip()) and (is_edge or "." in text):
        return LeftOut.CREDITS
    if len(rows) > 1 and _is_credit_of_rows(rows, is_edge=is_edge):
        return LeftOut.CREDITS
    is_credit = _may_be_credit(text, lowered, signs) and any(_is_credit(row, is_edge=is_edge) for row in rows)
    return LeftOut.CREDITS if is_credit else None


def _is_advertisement(rows: Sequence[str], text: str, lowered: str, *, is_edge: bool, signs: Signs) -> bool:
    if signs.advertising and any(word in lowered for word in signs.advertising) and _ADVERTISEMENTS.search(text):
        return True
    if "." in text and (_DOT_INSIDE.search(text) or "://" in text) and (domain := _DOMAIN.search(text)):
        rest = (text[: domain.start()] + text[domain.end() :]).strip(f"{_EDGE}!?")
        is_row = any(_ADDRESS.fullmatch(row.strip(f"{_EDGE}!?")) for row in rows)
        is_bare = (len(rest.split()) <= 3 or is_row) and not re.search(r"[.!?。]\s*$", text)
        if is_bare or is_edge or _SELLS.search(text.replace(domain[0], " ")) or _SELLS.search(domain[0]):
            return True
    if is_edge and _FAREWELL.match(text.strip(_EDGE)):
        return True
    if "@" in text and (match := _HANDLE.search(text)):
        rest_words = (text[: match.start()] + text[match.end() :]).split()
        if len(rest_words) <= 2 or (len(rest_words) <= 8 and (is_edge or ":" in text or "：" in text)):
            return True
    return (":" in text or "：" in text or "/" in text) and _CHANNEL.fullmatch(text.strip(_EDGE)) is not None


def _is_credit_of_rows(rows: Sequence[str], *, is_edge: bool) -> bool:
    """`Una traducción de` / `Gaviota77`, `SUBTITLING` / `Titelbild Media`."""
    who = credited(" ".join(rows).strip(_EDGE), is_edge=is_edge)
    if who is not None and _is_maker(who, rows[-1], is_edge=is_edge):
        return True
    words = rows[1].strip(_EDGE).split()
    is_name = len(words) <= 5 and all(w[0].isupper() or not w[0].isalpha() for w in words if w)
    return (
        len(rows) == 2
        and len(rows[0].split()) <= 3
        and is_work(rows[0])
        and is_name
        and not _SENTENCE_END.search(rows[1])
    )


def _may_be_credit(text: str, lowered: str, signs: Signs) -> bool:
    """False for most sentences in Latin letters, which have none of the words that a credit needs."""
    if ":" in text or "-" in text or "(" in text:
        return True
    if not text.isascii() and ("：" in text or "–" in text or "—" in text or "โดย" in text or "　" in text):
        return True
    is_by_somebody = not _BY_WORDS.isdisjoint(lowered.split())
    return is_by_somebody or (bool(signs.credits) and any(word in lowered for word in signs.credits))


def _is_credit(row: str, *, is_edge: bool) -> bool:
    text = row.strip().strip(_EDGE + '"“”')
    who = credited(text, is_edge=is_edge)
    if (who is not None and _is_maker(who, row, is_edge=is_edge)) or _CJK_CREW.fullmatch(text):
        return True
    match = _CREDIT.fullmatch(text) or _WORKED_ON.fullmatch(text)
    if match:
        return _is_somebody(match["who"], row, is_common=_COMMON_ROLE.match(text) is not None)
    if _SENTENCE_END.search(row):
        return False
    if match := _DID_IT.fullmatch(text):
        names = (match["who"] or match["name"]).split()
        return len(names) <= 3 and all(name[0].isupper() for name in names)
    if (_MADE_FOR.fullmatch(text) and len(text.split()) <= 8) or _RTL_CREDIT.fullmatch(text):
        return True
    return _BARE_ROLE.fullmatch(text) is not None and not _CJK_SPEECH.search(text)


def _is_maker(who: str, row: str, *, is_edge: bool) -> bool:
    """Whether what follows the words for the work is who did it; in lower case where more tells: `martı & kaptan`."""
    words = who.split()
    if _SENTENCE_END.search(row) and not re.search(r"\b[A-Z]\.$", row):
        return len(words) == 1 and is_handle(who)
    if who.islower() and not (is_edge or is_handle(who) or "&" in words or len(re.split("[:：]", row)[0].split()) > 1):
        return False
    return len(words) <= 3 or _is_somebody(who, row, is_common=False)


def _is_somebody(who: str, row: str, *, is_common: bool) -> bool:
    """Whether what follows a role is who had it rather than a sentence. ``is_common``: the role is common speech."""
    if _CJK.search(who):
        if is_common and re.search(r"[时時]间?$|小[时時]|[一二三四五六七八九十\d]", who):
            return False
        return len(who) <= 40 and not _SENTENCE_END.search(row) and not _CJK_SPEECH.search(who)
    words = who.split()
    if words and words[0] in _NOBODY:
        return False
    if len(words) > 8 or (_SENTENCE_END.search(row) and not re.search(r"\b[A-Z]\.$", row)):
        return False
    named = [w for w in words if w[0].isupper() or not w[0].isalnum() or (w[-1].isdigit() and not w.isdigit())]
    is_cased = who.upper() != who.lower()
    if is_common and is_cased and not named:
        return False
    return not is_cased or len(words) <= 2 or 2 * len(named) >= len(words)


def split_notes(rows: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The rows without translators' notes, and those: whole rows, and brackets that open with a note's mark."""
    if not any(map(_may_hold_note, rows)):
        return tuple(rows), ()
    kept: list[str] = []
    notes: list[str] = []
    is_open = False
    for k, row in enumerate(rows):
        if is_open:
            notes.append(row)
            is_open = not any(row.rstrip().endswith(c) for c in _CLOSING)
            continue
        if _is_note(row):
            notes.append(row)
            is_open = _goes_on(row, rows[k + 1] if k + 1 < len(rows) else "")
            continue
        text = _INLINE.sub(lambda match: _take(match, notes), row) if any(c in row for c in _OPENING) else row
        text = " ".join(text.split()) if text != row else row
        if text.strip():
            kept.append(text)
    return tuple(kept), tuple(notes)


def _may_hold_note(row: str) -> bool:
    """False for most rows: plain ones hold a note only if they open with its mark."""
    return opens_like_note(row) or not is_plain(row)


def opens_like_note(row: str) -> bool:
    """Whether the first letters of a row are those of the mark of a note."""
    return row[:5].casefold().startswith(_NOTE_STARTS)


def _take(match: re.Match[str], notes: list[str]) -> str:
    if not _NOTE.match(match[1].strip()) and not _PLAIN_NOTE.match(match[1].strip()):
        return match[0]
    notes.append(match[0])
    return " "


def _is_note(row: str) -> bool:
    text = row.strip()
    inner = text.lstrip(_OPENING + "*＊ ")
    if _NOTE.match(inner) or _CJK_PS.match(inner):
        head = text[: len(text) - len(inner)]
        if (mark := _BRACKETED_MARK.match(text)) and _NOTE.fullmatch(mark[1] + ":"):  # 【译注】出自古诗
            return True
        is_closed_early = bool(head.strip("*＊ ")) and any(c in text[:-1] for c in _CLOSING)
        return not is_closed_early
    return inner != text and text[-1] in _CLOSING and _PLAIN_NOTE.match(inner) is not None


def _goes_on(row: str, following: str) -> bool:
    if not following:
        return False
    text = row.strip()
    if text[0] in _OPENING and text[-1] not in _CLOSING:
        return True
    first = following.lstrip()[:1]
    if first.islower():
        return True
    is_caseless = first.upper() == first.lower() and first.isalpha()
    return is_caseless and not _SENTENCE_END.search(text) and text[-1] not in _CLOSING and not text.startswith("※")
