// What the page says, in English and Chinese.
const EN = {
  title: "Review", skip: "To the lines", undo: "Undo", redo: "Redo", voices: "Voices", rename: "Rename", apply: "Apply", theme: "Colours", help: "Keys", report: "Report",
  episode: "Episode", character: "Character", state: "Doubt", problem: "Problem", source: "Source", mark: "Mark", order: "Order", search: "Words",
  overlap: "Overlapped", filters: "Filters", all: "Show all", lines: "Lines", page_back: "Page before", page_on: "Next page", nothing: "No line fits.",
  play: "Play", play_around: "With neighbours", signal: "Sound", vocals: "Vocals", mix: "Mix", autoplay: "Play by itself", stop: "Stop",
  wave: "Waveform of the line and what is around it; its start and end can be dragged", who: "Who says it?", any_name: "Any name, or a new one", take: "Take",
  nobody: "Nobody of them", not_speech: "Not speech", unusable: "Unusable", clear: "Take back", advance: "After a decision",
  advance_doubt: "the most doubtful line", advance_next: "the next line", advance_stay: "stay", why: "Why this name", words_times: "Words and times",
  words: "Words", save_words: "Save words", start: "Start (s)", end: "End (s)", save_times: "Save times", back: "As before", around: "Before and after",
  close: "Close", voices_help: "Voices that the program told apart in this episode. Tick several and give one name to merge them; split one to hear whether it is two people. Lines that are decided stay as they are.",
  assign_voices: "Assign the ticked voices", rename_title: "Rename a character everywhere", old_name: "Name now", new_name: "New name", changes: "What changed",
  any: "all", state_open: "not decided", state_doubtful: "doubtful", state_certain: "certain", state_decided: "decided", order_time: "by time", order_gain: "most doubtful first",
  nobody_short: "nobody", unknown: "unknown", no_reason: "Nothing names it.", split: "Split", show: "Show its lines",
  group: (n, count) => `Group ${n}: ${count} lines`, one_voice: "Too few lines can be heard to split this voice.", assign_group: "Assign this group",
  voice_counts: (count, open) => `${count} lines, ${open} not decided`, voice_box: (speaker, count, open) => `Voice ${speaker}: ${count} lines, ${open} not decided.`, assign_voice: (name) => `The whole voice: ${name}`,
  pages: (from, to, total) => `${from}–${to} of ${total}`, progress: (decided, doubtful, total) => `${decided} decided · ${doubtful} doubtful · ${total} lines`,
  apply_n: (n) => `Apply (${n})`, applying: (subject, stage) => `Applying: ${subject ? `${subject}: ` : ""}${stage}`, nothing_to_apply: "Everything is applied.", applied: (n) => `Applied: ${n} lines changed.`,
  no_change: "No line changed.", failed: (why) => `Not done: ${why}`, conflict: "Somebody else just decided about this line. Look again.",
  undone: (what) => `Undone: ${what}`, redone: (what) => `Done again: ${what}`, no_undo: "There is nothing to undo.", no_redo: "There is nothing to do again.",
  assigned: (n, name) => (n === 1 ? name : `${n} lines: ${name}`), cleared: "Taken back", marked: (mark) => `Marked: ${mark}`, unmarked: (mark) => `Mark taken off: ${mark}`,
  text_saved: "Words saved", times_saved: "Times saved", renamed: (a, b) => `${a} is now ${b}`, all_done: "No doubtful line is left here.", thinking: "working out what follows",
  no_sound: "There is no sound for this episode.", gone: "The server does not answer. Start the review again.", line: (n, episode, time) => `Line ${n} of ${episode}, ${time}`,
  removed: "left out", added: "in the lines now", evidence_manual: "a person", evidence_actor: "subtitle (actor)", evidence_sdh: "subtitle (name)", evidence_voice: "voice", evidence_vocals: "· in the vocals",
  evidence_mix: "· in the mix", evidence_cluster: "same voice", evidence_scene: "neighbours", "not speech": "not speech", "mark_nobody": "nobody", tick: (s) => `Tick voice ${s}`,
  stale_exports: (names) => `Exports are as they were (${names}): write them again with run_pipeline.py export.`,
  cut: "Cut in two", cut_title: "Cut the line in two", cut_first: "First line", cut_second: "Second line", cut_at: "Cut at (s)", play_first: "Play the first", play_second: "Play the second",
  add: "Add a line", add_title: "Add a line that the subtitles lack", cut_done: "Cut in two", add_done: "Line added", add_gone: "Added line taken out",
  state_unknown: "unknown", times: "Times", corpus: "corpus", no_token: "This page is of a review that has ended. Open the address that the command printed last.", refused: (status) => `The server refuses this request (${status}).`,
  kept: (stages) => `Left as it was, though it would be made otherwise now: ${stages}. This command makes it anew:`, comma: ", ",
  source_subtitle: "subtitles", source_asr: "heard", source_ocr: "read from pictures", source_review: "added here", evidence_dub: "second audio track",
  "problem_too short": "too short", "problem_too long": "too long", "problem_clipped": "clipped", "problem_narrow band": "narrow band", "problem_little speech": "little speech", "problem_too slow": "too slow", "problem_too fast": "too fast", "problem_overlapped": "overlapped", "problem_low level": "low level", "problem_low DNSMOS": "low DNSMOS", "problem_duplicate": "duplicate", "problem_text not heard": "text not heard", "problem_unusable": "unusable",
  "stage_probe": "video", "stage_ocr": "pictures of subtitles", "stage_cues": "subtitles", "stage_extract": "sound", "stage_separate": "vocals", "stage_speech": "speech", "stage_align": "alignment", "stage_turns": "turns of voices", "stage_transcribe": "transcription", "stage_words": "words", "stage_part": "cues of two speakers", "stage_embeddings": "speaker embeddings", "stage_corrected": "embeddings of corrected lines", "stage_dub": "voices of the second audio track", "stage_corrected dub": "second audio track of corrected lines", "stage_enrol": "enrolment", "stage_identify": "who says it", "stage_clips": "clips", "stage_quality": "quality", "stage_lines": "lines", "stage_shots": "shots", "stage_scenes": "scenes", "stage_pictures": "waveforms", "stage_report": "report", "stage_summary": "summary", "stage_files": "corpus files", "stage_gallery": "gallery of voices",
  keys: [["1 … 9", "one of the likeliest names"], ["Enter", "type any name"], ["0", "nobody of the characters"], ["-", "not speech"], ["x", "unusable"], ["Backspace", "take the decision back"],
    ["d", "the most doubtful line"], ["j k ↓ ↑", "next, previous line"], ["Page ↓ ↑", "next, previous page"], ["Space", "play, stop"], ["p", "play with neighbours"], ["m", "vocals or mix"],
    ["w", "the whole voice: the name in the box"], ["v", "voices: merge, split"], ["r", "rename a character"], ["e", "correct the words"], ["t", "correct the times"], ["c", "cut the line in two"], ["n", "add a line"],
    ["u  Ctrl+Z", "undo"], ["y  Ctrl+Y", "redo"], ["g", "apply"], ["/", "search"], ["l", "中文"], ["?", "this list"]],
};
const ZH = {
  title: "校对", skip: "跳到台词", undo: "撤销", redo: "重做", voices: "声音", rename: "改名", apply: "应用", theme: "配色", help: "按键", report: "报告",
  episode: "剧集", character: "角色", state: "把握", problem: "问题", source: "来源", mark: "标记", order: "排序", search: "文字",
  overlap: "有重叠", filters: "筛选", all: "显示全部", lines: "台词", page_back: "上一页", page_on: "下一页", nothing: "没有符合的台词。",
  play: "播放", play_around: "连同前后", signal: "声音", vocals: "人声", mix: "混音", autoplay: "自动播放", stop: "停止",
  wave: "这句及前后的波形；可拖动起点和终点", who: "谁说的？", any_name: "任意名字，或新名字", take: "确定",
  nobody: "都不是", not_speech: "不是说话", unusable: "不可用", clear: "收回", advance: "决定之后",
  advance_doubt: "最可疑的一句", advance_next: "下一句", advance_stay: "停留", why: "为何是此名", words_times: "文字与时间",
  words: "文字", save_words: "保存文字", start: "起点（秒）", end: "终点（秒）", save_times: "保存时间", back: "恢复", around: "前后台词",
  close: "关闭", voices_help: "程序在本集中区分出的声音。勾选几个并给同一个名字即可合并；拆分一个可听出是否为两人。已决定的台词保持不变。",
  assign_voices: "指定勾选的声音", rename_title: "在所有地方给角色改名", old_name: "现名", new_name: "新名", changes: "改变了什么",
  any: "全部", state_open: "未决定", state_doubtful: "可疑", state_certain: "确定", state_decided: "已决定", order_time: "按时间", order_gain: "最可疑在前",
  nobody_short: "无人", unknown: "未知", no_reason: "没有任何依据。", split: "拆分", show: "显示其台词",
  group: (n, count) => `第 ${n} 组：${count} 句`, one_voice: "可听的台词太少，无法拆分。", assign_group: "指定这一组",
  voice_counts: (count, open) => `${count} 句，${open} 句未决定`, voice_box: (speaker, count, open) => `声音 ${speaker}：${count} 句，${open} 句未决定。`, assign_voice: (name) => `整个声音：${name}`,
  pages: (from, to, total) => `${from}–${to}，共 ${total}`, progress: (decided, doubtful, total) => `已决定 ${decided} · 可疑 ${doubtful} · 共 ${total} 句`,
  apply_n: (n) => `应用（${n}）`, applying: (subject, stage) => `正在应用：${subject ? `${subject}：` : ""}${stage}`, nothing_to_apply: "全部已应用。", applied: (n) => `已应用：${n} 句改变。`,
  no_change: "没有台词改变。", failed: (why) => `未完成：${why}`, conflict: "别人刚刚对这句做了决定，请再看一下。",
  undone: (what) => `已撤销：${what}`, redone: (what) => `已重做：${what}`, no_undo: "没有可撤销的。", no_redo: "没有可重做的。",
  assigned: (n, name) => (n === 1 ? name : `${n} 句：${name}`), cleared: "已收回", marked: (mark) => `已标记：${mark}`, unmarked: (mark) => `已取消标记：${mark}`,
  text_saved: "文字已保存", times_saved: "时间已保存", renamed: (a, b) => `${a} 现名 ${b}`, all_done: "这里没有可疑的台词了。", thinking: "正在推算",
  no_sound: "本集没有声音文件。", gone: "服务器没有应答，请重新启动校对。", line: (n, episode, time) => `${episode} 第 ${n} 句，${time}`,
  removed: "已去除", added: "已加入台词", evidence_manual: "人工", evidence_actor: "字幕（演员栏）", evidence_sdh: "字幕（名字）", evidence_voice: "声音", evidence_vocals: "· 人声中",
  evidence_mix: "· 混音中", evidence_cluster: "同一声音", evidence_scene: "前后台词", "not speech": "不是说话", "mark_nobody": "无人", tick: (s) => `勾选声音 ${s}`,
  stale_exports: (names) => `导出仍是旧的（${names}）：请用 run_pipeline.py export 重新导出。`,
  cut: "切成两句", cut_title: "把这句切成两句", cut_first: "第一句", cut_second: "第二句", cut_at: "切点（秒）", play_first: "播放第一句", play_second: "播放第二句",
  add: "添加台词", add_title: "添加字幕里没有的台词", cut_done: "已切成两句", add_done: "已添加台词", add_gone: "已去掉添加的台词",
  state_unknown: "未知", times: "时间", corpus: "语料", no_token: "这是已结束的校对的页面。请打开命令最后显示的地址。", refused: (status) => `服务器拒绝了此请求（${status}）。`,
  kept: (stages) => `以下结果保持原样，尽管现在生成会不同：${stages}。此命令可重新生成：`, comma: "、",
  source_subtitle: "字幕", source_asr: "听写", source_ocr: "读自图片", source_review: "在此添加", evidence_dub: "第二音轨",
  "problem_too short": "太短", "problem_too long": "太长", "problem_clipped": "削波", "problem_narrow band": "频带窄", "problem_little speech": "说话少", "problem_too slow": "太慢", "problem_too fast": "太快", "problem_overlapped": "有重叠", "problem_low level": "声音小", "problem_low DNSMOS": "DNSMOS 低", "problem_duplicate": "重复", "problem_text not heard": "文字听不到", "problem_unusable": "不可用",
  "stage_probe": "看视频", "stage_ocr": "读图片字幕", "stage_cues": "读字幕", "stage_extract": "取出声音", "stage_separate": "分离人声", "stage_speech": "找说话处", "stage_align": "对齐字幕", "stage_turns": "分辨声音", "stage_transcribe": "听写", "stage_words": "切分词句", "stage_part": "拆分说话人", "stage_embeddings": "声纹", "stage_corrected": "改动处的声纹", "stage_dub": "第二音轨的声音", "stage_corrected dub": "改动处的第二音轨", "stage_enrol": "登记声音", "stage_identify": "认人", "stage_clips": "剪片段", "stage_quality": "质量", "stage_lines": "台词", "stage_shots": "镜头", "stage_scenes": "场景", "stage_pictures": "波形图", "stage_report": "报告", "stage_summary": "摘要", "stage_files": "语料文件", "stage_gallery": "声音库",
  keys: [["1 … 9", "最可能的名字之一"], ["Enter", "输入任意名字"], ["0", "都不是"], ["-", "不是说话"], ["x", "不可用"], ["Backspace", "收回决定"],
    ["d", "最可疑的一句"], ["j k ↓ ↑", "下一句、上一句"], ["Page ↓ ↑", "下一页、上一页"], ["空格", "播放、停止"], ["p", "连同前后播放"], ["m", "人声或混音"],
    ["w", "整个声音：用框中的名字"], ["v", "声音：合并、拆分"], ["r", "角色改名"], ["e", "改文字"], ["t", "改时间"], ["c", "切成两句"], ["n", "添加台词"],
    ["u  Ctrl+Z", "撤销"], ["y  Ctrl+Y", "重做"], ["g", "应用"], ["/", "搜索"], ["l", "English"], ["?", "本列表"]],
};

const stored = (() => {
  try {
    return localStorage.getItem("yuki review language");
  } catch {
    return null;
  }
})();
export let language = stored ?? (navigator.language.startsWith("zh") ? "zh" : "en");
export const tables = { en: EN, zh: ZH };
export const t = (key, ...values) => {
  const text = tables[language === "zh" ? "zh" : "en"][key] ?? key;
  return typeof text === "function" ? text(...values) : text;
};

// A name that the program gives: in words, or as it is.
export const named = (kind, name) => (`${kind}_${name}` in EN ? t(`${kind}_${name}`) : name);
// What the server says, in this page's language.
export const inWords = (told, field) => (language === "zh" ? told[`${field}_zh`] : null) ?? told[field];

export function setLanguage(next) {
  language = next;
  try {
    localStorage.setItem("yuki review language", next);
  } catch {
    // Nothing is remembered then.
  }
  translate();
}

export function translate() {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = t("title");
  for (const item of document.querySelectorAll("[data-t]")) item.textContent = t(item.dataset.t);
  for (const item of document.querySelectorAll("[data-t-label]")) item.setAttribute("aria-label", t(item.dataset.tLabel));
  for (const item of document.querySelectorAll("[data-t-place]")) item.placeholder = t(item.dataset.tPlace);
  const button = document.querySelector("#language");
  button.textContent = language === "zh" ? "English" : "中文";
  button.lang = language === "zh" ? "en" : "zh";
}
