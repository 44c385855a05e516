"""Words that tell a name from a title, a sentence or a sound. Folded to lower case; a plural `s` may be left off."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAME_PARTICLES = _words("al bin da de del der di du el la le of the van von y")

SENTENCE_WORDS = _words("i i'm i'll you we he she they it my your is are was were told said say says not")
"""What stands before a colon is a sentence, not a name, where one of these is in it."""

NO_NAMES = _words(
    """
    note notes tn warning caution danger attention notice remember example tip hint question answer ps fyi nb re
    part episode chapter act scene season volume section step rule lesson date time place location subject address
    source translation translator translated subtitle subtitles caption captions sync edited editing timing
    typesetting encoding credits cast director directed produced written by music lyrics song title
    http https www ftp tv usa uk ok okay yes no well so but and or then now first second third fourth last finally
    next previously meanwhile today tonight tomorrow yesterday monday tuesday wednesday thursday friday saturday
    sunday morning evening look listen see wait here there this that these those it what who why how when where
    which hey please result results summary conclusion truth fact problem point update breaking news exclusive
    live wanted for sale total score phase plan option mission objective goal status error password username
    注 注意 注释 註釋 译注 譯註 译者注 警告 提示 时间 時間 地点 地點 場所 字幕 翻译 翻譯 校对 校對 时间轴 时轴
    压制 片名 标题 標題 题目 例 例如 比如 结果 結果 问 问题 問 問題 答 答案 但是 所以 因为 因為 结论 結論 第一
    第二 第三 备注 備註 備考 注釈 目标 目標 制作 監督 原作 脚本 作曲 作词 编曲 編曲 演唱 歌 曲 来源 出处 日期
    密码 つまり だから でも
    """
)
"""Never a name where they end what stands before a colon."""

PLACEHOLDERS = _words("ntp none null n/a default actor name text comment caption")
"""What programs write into the actor field where nobody is named."""

SOUND_WORDS = _words(
    """
    sigh gasp laugh chuckle giggle sob cry cough sniff sniffle grunt groan moan whimper scream shout yell shriek
    whisper mutter mumble murmur pant exhale inhale breathe snore sneeze hiccup clear throat yawn whistle hum sing
    cheer applaud clap applause laughter chatter chattering music song theme sting fanfare silence static
    door slam creak knock bell ring chime buzz beep alarm siren phone cellphone telephone vibrate click clatter
    clank thud bang crash boom explosion explode gunshot gunfire fire thunder rain wind rumble roar growl bark meow
    chirp footstep engine car horn honk tire screech splash water glass shatter break rustle scoff snicker snort
    squeal wail weep stammer stutter speak continue stop fade play indistinct inaudible
    foreign language crowd audience distant muffled
    """
)
"""One of these between brackets makes the brackets a description of a sound; so does a word on -ing."""

NO_SOUND_WORDS = _words("nothing something anything everything morning evening during spring string")
