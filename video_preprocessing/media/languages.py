"""Language codes: containers, players and people write the same language in several ways."""

from __future__ import annotations

import re

# ISO 639-1 code, then its ISO 639-2 codes (terminological first, bibliographic second where they differ).
_CODES = """
aa aar, ab abk, af afr, ak aka, am amh, an arg, ar ara, as asm, av ava, ay aym, az aze, ba bak, be bel, bg bul,
bm bam, bn ben, bo bod tib, br bre, bs bos, ca cat, ce che, ch cha, co cos, cr cre, cs ces cze, cv chv, cy cym wel,
da dan, de deu ger, dv div, dz dzo, ee ewe, el ell gre, en eng, eo epo, es spa, et est, eu eus baq, fa fas per,
ff ful, fi fin, fj fij, fo fao, fr fra fre, fy fry, ga gle, gd gla, gl glg, gn grn, gu guj, gv glv, ha hau, he heb,
hi hin, hr hrv, ht hat, hu hun, hy hye arm, id ind, ig ibo, is isl ice, it ita, iu iku, ja jpn, jv jav, ka kat geo,
kk kaz, kl kal, km khm, kn kan, ko kor, ks kas, ku kur, kw cor, ky kir, la lat, lb ltz, lg lug, ln lin, lo lao,
lt lit, lv lav, mg mlg, mi mri mao, mk mkd mac, ml mal, mn mon, mr mar, ms msa may, mt mlt, my mya bur, nb nob,
ne nep, nl nld dut, nn nno, no nor, oc oci, om orm, or ori, os oss, pa pan, pl pol, ps pus, pt por, qu que, rm roh,
ro ron rum, ru rus, rw kin, sa san, sc srd, sd snd, se sme, si sin, sk slk slo, sl slv, sm smo, sn sna, so som,
sq sqi alb, sr srp, st sot, su sun, sv swe, sw swa, ta tam, te tel, tg tgk, th tha, ti tir, tk tuk, tl tgl, tn tsn,
to ton, tr tur, ts tso, tt tat, tw twi, ug uig, uk ukr, ur urd, uz uzb, vi vie, wo wol, xh xho, yi yid, yo yor,
zh zho chi cmn, zu zul
"""
_SHORT = {code: group.split()[0] for group in _CODES.split(",") for code in group.split()}
# What writers put where they know no language.
_NO_LANGUAGE = {"", "und", "mis", "mul", "zxx", "unknown"}


def normal_language(code: str | None) -> str | None:
    """One spelling per language: ``jpn`` and ``JA`` become ``ja``, ``chi-Hant`` becomes ``zh-hant``.

    The language goes to its ISO 639-1 code where it has one, script and region subtags (BCP 47) stay;
    everything is lower case. None for "undetermined" and its like.
    """
    language, *subtags = re.split(r"[-_]", (code or "").strip().lower())
    if language in _NO_LANGUAGE:
        return None
    return "-".join([_SHORT.get(language, language), *subtags])


def speaks(language: str | None, wanted: str) -> bool:
    """Whether a track's ``language`` is what was ``wanted``: ``zh`` takes ``chi`` and ``zh-Hant``, not the reverse."""
    have, want = normal_language(language), normal_language(wanted)
    if have is None or want is None:
        return False
    language_have, *subtags_have = have.split("-")
    language_want, *subtags_want = want.split("-")
    return language_have == language_want and set(subtags_want) <= set(subtags_have)
