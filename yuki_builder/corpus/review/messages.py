"""What the review's server says to the page, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yuki_builder.errors import InputError

MESSAGES: Mapping[str, tuple[str, str]] = {
    "no_line": ("there is no line {0!r:.100}", "没有这句台词：{0!r:.100}"),
    "no_episode": ("there is no episode {0!r:.100}", "没有这一集：{0!r:.100}"),
    "no_such_thing": ("there is no such thing", "没有这个东西"),
    "unknown_decision": ("unknown decision {0!r:.60}", "未知的决定：{0!r:.60}"),
    "malformed_decision": ("no decision of this form ({0})", "决定的格式不对（{0}）"),
    "unknown_mark": ("unknown mark {0!r:.60}", "未知的标记：{0!r:.60}"),
    "no_lines_meant": ("it concerns no line", "没有涉及任何台词"),
    "not_a_list": ("lines are a list of their ids", "台词应是其编号的列表"),
    "one_line_at_a_time": ("words and times are of one line", "文字和时间一次只改一句"),
    "one_cut_at_a_time": ("one line is cut at a time", "一次只能切一句"),
    "cut_outside": ("a cut lies between a line's start and its end", "切点必须在这句的起点和终点之间"),
    "end_before_start": ("a line ends after it starts", "终点必须在起点之后"),
    "no_words": ("a line has words", "台词不能没有文字"),
    "no_new_name": ("give a new name", "请给一个新名字"),
    "not_a_text": ("expected a name or words", "应是名字或文字"),
    "too_long": ("longer than {0} characters", "超过 {0} 个字符"),
    "too_much_sound": ("at most {0} seconds of sound at a time", "一次最多 {0} 秒的声音"),
    "not_json": ("not valid JSON: {0}", "不是有效的 JSON：{0}"),
    "not_an_object": ("expected a JSON object", "应是一个 JSON 对象"),
    "not_kept": ("cannot be kept: {0}", "无法保存：{0}"),
    "run_again": (
        "what the decisions build on is not there any more ({0}). Run this once, all decisions are kept: {1}",
        "决定所依据的结果已不在（{0}）。请运行一次以下命令，所有决定都会保留：{1}",
    ),
    "not_recorded": (
        "{0}: how this episode was made is not recorded. Run the command again that made it",
        "{0}：没有记录这一集是如何生成的。请再次运行生成它的命令",
    ),
    "program_says": ("{0}", "程序报告（英文）：{0}"),
}
"""By key: English, Chinese; with places for values."""


class ReviewError(InputError):
    """What a review cannot do, in the languages of its page.

    Args:
        key: of ``MESSAGES``.
        values: what stands in its places.
    """

    def __init__(self, key: str, *values: object) -> None:
        english, self.chinese = (text.format(*values) for text in MESSAGES[key])
        super().__init__(english)


def said(error: Exception, name: str = "error") -> dict[str, Any]:
    """An error for the page, in both languages; the program's own messages are in English.

    Args:
        error: a ``ReviewError``, or any other.
        name: of the English field; ``_zh`` is behind the Chinese one's.
    """
    told = error if isinstance(error, ReviewError) else ReviewError("program_says", str(error))
    return {name: str(told), f"{name}_zh": told.chinese}
