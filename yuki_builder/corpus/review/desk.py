"""The state of a review: the corpus as it is, what people decided, and what follows from it.

One desk serves all browsers; every method may be called from any thread.
"""

from __future__ import annotations

import contextlib
import threading
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from yuki_builder.corpus.review.doubt import LineVoices, gains, halves, likeliest
from yuki_builder.corpus.review.files import HISTORY, SAVED, HistoryFile, TablePaths, Tables, differences
from yuki_builder.corpus.review.history import (
    Act,
    Kind,
    decisions,
    episodes_to_apply,
    next_redo,
    next_undo,
)
from yuki_builder.corpus.review.messages import ReviewError, said
from yuki_builder.corpus.review.records import Applied, ConflictError, Filter, ReviewEpisode, ReviewPaths, Tools
from yuki_builder.corpus.review.requests import act_of, addition, check, cut, kind_of
from yuki_builder.corpus.review.standing import SEASON_VOICE, added_line, changes, standing
from yuki_builder.corpus.tables.edits_csv import NOBODY
from yuki_builder.errors import YukiError
from yuki_builder.records import Attribution, Line, LineSource

MOST_LINES = 500  # of one page
_NEIGHBOURS = 3
_FILE = "file"  # who edited a table by hand
_STATES = {
    "decided": ("decided",),
    "certain": ("certain",),
    "doubtful": ("doubtful", "unknown"),
    "open": ("certain", "doubtful", "unknown"),
}


class Desk:
    """A review of one corpus.

    Args:
        episodes: all of them.
        paths: where what is decided is kept.
        tools: what the pipeline does.

    Raises:
        InputError: a table that is there already has another form, or the history is damaged.
    """

    def __init__(self, episodes: Iterable[ReviewEpisode], paths: ReviewPaths, tools: Tools) -> None:
        self._lock = threading.RLock()
        self._tools = tools
        self._on_disk = {episode.episode_id: episode for episode in episodes}
        self._episodes = dict(self._on_disk)  # with the lines that people added, without those they took back
        self._lines: dict[str, Line] = {}
        self._place: dict[str, int] = {}
        self._suggested: dict[str, Attribution] = {}
        self._gains: dict[str, dict[str, float]] = {}
        self._present: set[str] = set()
        self._file = HistoryFile(paths.folder / HISTORY)
        self._tables = Tables(TablePaths(paths.labels, paths.corrections, paths.renames, paths.folder / SAVED))
        self._history = self._file.read()
        self._decided = decisions(self._history)
        self._version = 0
        self._rounds: dict[str, int] = {}  # of thinking, by episode
        self._applying: dict[str, Any] = {"state": "idle"}
        paths.folder.mkdir(parents=True, exist_ok=True)
        self._gather(self._on_disk)
        names, edits = self._tables.read(self._lines, self._episodes)
        if self._tables.changed_by_others():
            self._take_over(names, edits)
        if self._history:
            self._tables.write(self._decided, self._lines)

    def _gather(self, episodes: Iterable[str]) -> None:
        """Bring the lines of episodes in line with those that people added and took back."""
        added: dict[str, list[Line]] = defaultdict(list)
        for key, new in self._decided.added.items():
            added[new.episode].append(added_line(key, new))
        for episode_id in episodes:
            on_disk = self._on_disk[episode_id]
            lines = [x for x in on_disk.lines if x.source is not LineSource.REVIEW or x.line_id in self._decided.added]
            there = {line.line_id for line in lines}
            lines += [line for line in added[episode_id] if line.line_id not in there]
            if added[episode_id] or len(lines) < len(on_disk.lines):
                lines.sort(key=lambda line: (self._now(line).start_ms, line.index, line.line_id))
            for line in self._episodes[episode_id].lines:
                self._lines.pop(line.line_id, None)
            self._episodes[episode_id] = replace(on_disk, lines=tuple(lines))
            self._lines |= {line.line_id: line for line in lines}
            self._place |= {line.line_id: k for k, line in enumerate(lines)}

    def _take_over(self, names: Mapping[str, str], edits: Mapping[str, Any]) -> None:
        found = differences(self._decided, names, edits, self._lines)
        if found:
            self._record([self._act(_FILE, **each) for each in found])

    # --- what is there ------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Grows with every change that a page should show."""
        return len(self._history) + self._version

    @property
    def acts(self) -> int:
        """How many acts there are; who decides says how many of them were seen."""
        return len(self._history)

    def episode(self, episode_id: str) -> ReviewEpisode | None:
        """The episode of that name, if there is one."""
        with self._lock:
            return self._episodes.get(episode_id)

    def line(self, line_id: str) -> Line:
        """The line as it stands now, decisions included.

        Raises:
            InputError: there is none of that name.
        """
        with self._lock:
            line = self._lines.get(line_id)
            if line is None:
                raise ReviewError("no_line", line_id)
            return self._now(line)

    def _now(self, line: Line) -> Line:
        return standing(line, self._decided, self._suggested)

    def overview(self) -> dict[str, Any]:
        """What a page shows around the lines: episodes, characters, counts, what can be undone and applied."""
        with self._lock:
            now = [self._now(line) for line in self._lines.values()]
            talk = Counter(line.character for line in now if line.character)
            states = Counter(self._state(line) for line in now)
            problems = Counter(p for e in self._episodes.values() for each in e.problems.values() for p in each)
            return {
                "version": self.version,
                "acts": self.acts,
                "episodes": [{"id": e.episode_id, "lines": len(e.lines)} for e in self._episodes.values()],
                "characters": [{"name": name, "lines": count} for name, count in talk.most_common()],
                "states": dict(states),
                "problems": dict(problems.most_common()),
                "sources": dict(Counter(str(line.source) for line in now)),
                "lines": len(now),
                "to_apply": sorted(self._to_apply()),
                "thinking": sorted(episode_id for episode_id, rounds in self._rounds.items() if rounds),
            }

    def _to_apply(self) -> set[str]:
        saying: dict[str, set[str]] = defaultdict(set)
        for line in self._lines.values():
            for name in {line.character, self._decided.renames.get(line.character or "")} - {None}:
                saying[str(name)].add(line.episode_id)
        episode_of = {key: line.episode_id for key, line in self._lines.items()}
        return episodes_to_apply(self._history, episode_of, saying) & self._episodes.keys()

    def _state(self, line: Line) -> str:
        """``decided``, or how sure the name is."""
        return "decided" if self._decided.is_decided(line.line_id) else str(line.verdict)

    # --- lines ----------------------------------------------------------------------------------------

    def page(self, wanted: Filter, *, offset: int = 0, limit: int = 200, around: str | None = None) -> dict[str, Any]:
        """A page of the lines that fit; the one that holds the line ``around`` where that fits too.

        Args:
            wanted: what the lines have to fit.
            offset: how many of them are skipped.
            limit: how many there are on a page at most.
            around: the id of a line that the page is to hold.
        """
        limit = max(1, min(limit, MOST_LINES))
        with self._lock:
            fitting = self._fitting(wanted)
            if around is not None:
                places = {line.line_id: k for k, line in enumerate(fitting)}
                offset = places.get(around, offset) // limit * limit
            offset = max(0, min(offset, max(0, len(fitting) - 1) // limit * limit))
            rows = [self._row(line) for line in fitting[offset : offset + limit]]
            where = {"total": len(fitting), "offset": offset, "limit": limit}
            return {"version": self.version, "acts": self.acts, **where, "lines": rows}

    def _fitting(self, wanted: Filter) -> list[Line]:
        episodes = [self._episodes[wanted.episode]] if wanted.episode in self._episodes else self._episodes.values()
        if wanted.episode and wanted.episode not in self._episodes:
            return []
        words = _folded(wanted.text)
        found = []
        for episode in episodes:
            for line in episode.lines:
                now = self._now(line)
                if self._fits(now, wanted, episode) and (not words or words in _folded(now.text)):
                    found.append(now)
        if wanted.order == "gain":
            gain = {key: g for episode in episodes for key, g in self._gain(episode.episode_id).items()}
            found.sort(key=lambda line: -gain[line.line_id])
        return found

    def _fits(self, line: Line, wanted: Filter, episode: ReviewEpisode) -> bool:
        state = self._state(line)
        key = line.line_id
        return (
            (not wanted.character or (line.character or NOBODY) == wanted.character)
            and (not wanted.speaker or line.speaker == wanted.speaker)
            and (not wanted.state or state in _STATES.get(wanted.state, ()))
            and (not wanted.problem or wanted.problem in episode.problems.get(key, ()))
            and (not wanted.mark or wanted.mark in self._decided.marks.get(key, ()))
            and (not wanted.source or str(line.source) == wanted.source)
            and (not wanted.overlap or line.overlap > 0)
        )

    def _row(self, line: Line) -> dict[str, Any]:
        key = line.line_id
        return {
            "id": key,
            "episode": line.episode_id,
            "number": self._place[key] + 1,
            "start": line.start_ms,
            "end": line.end_ms,
            "text": line.text,
            "second": line.text_secondary,
            "character": line.character,
            "confidence": line.confidence,
            "state": self._state(line),
            "speaker": line.speaker,
            "overlap": line.overlap,
            "marks": sorted(self._decided.marks.get(key, ())),
            "edited": [
                n for n, table in (("text", self._decided.texts), ("times", self._decided.times)) if key in table
            ],
            "problems": list(self._episodes[line.episode_id].problems.get(key, ())),
            "source": str(line.source),
        }

    def details(self, line_id: str) -> dict[str, Any]:
        """All that is known of one line: evidence, neighbours, the likeliest names, its voice."""
        with self._lock:
            line = self.line(line_id)
            episode = self._episodes[line.episode_id]
            place = self._place[line_id]
            around = range(max(0, place - _NEIGHBOURS), min(len(episode.lines), place + _NEIGHBOURS + 1))
            neighbours = [self._now(episode.lines[k]) for k in around]
            by_distance = sorted(neighbours, key=lambda n: abs(self._place[n.line_id] - place))
            nearest = [n for n in by_distance if n.line_id != line_id]
            own = [self._now(other) for other in episode.lines]
            cast = [name for name, _ in Counter(o.character for o in own if o.character).most_common()]
            of_voice = [other for other in own if line.speaker and other.speaker == line.speaker]
            original = self._lines[line_id]
            return {
                **self._row(line),
                "evidence": [e.to_dict() for e in line.evidence],
                "neighbours": [self._row(n) for n in neighbours],
                "likeliest": likeliest(line, nearest, cast),
                "gain": self._gain(line.episode_id)[line_id],
                "voice_lines": len(of_voice),
                "voice_open": sum(not self._decided.is_decided(o.line_id) for o in of_voice),
                "original": {"text": original.text, "start": original.start_ms, "end": original.end_ms},
                "snr_db": line.snr_db,
                "sound": {"mix": episode.mix is not None, "vocals": episode.vocals is not None},
                "acts": self.acts,
            }

    def next_line(self, wanted: Filter, *, after: str | None = None) -> str | None:
        """The line whose answer tells most, of those that fit and are not decided; another than ``after``."""
        with self._lock:
            open_lines = self._fitting(replace(wanted, order="gain", state=wanted.state or "open"))
            return next(
                (x.line_id for x in open_lines if x.line_id != after and not self._decided.is_decided(x.line_id)), None
            )

    def _gain(self, episode_id: str) -> dict[str, float]:
        if episode_id not in self._gains:
            episode = self._episodes[episode_id]
            now = [self._now(line) for line in episode.lines]
            decided = {line.line_id: self._decided.is_decided(line.line_id) for line in now}
            found = gains(now, self._heard(episode), decided=decided)
            self._gains[episode_id] = {line.line_id: g for line, g in zip(now, found, strict=True)}
        return self._gains[episode_id]

    # --- voices -------------------------------------------------------------------------------------------

    def voices(self, episode_id: str) -> list[dict[str, Any]]:
        """The voices of an episode, the most talkative first: how many lines, whose they are taken for."""
        with self._lock:
            episode = self._episode(episode_id)
            by_speaker: dict[str, list[Line]] = defaultdict(list)
            for line in episode.lines:
                if line.speaker:
                    by_speaker[line.speaker].append(self._now(line))
            return [
                {
                    "speaker": speaker,
                    "lines": len(said),
                    "open": sum(not self._decided.is_decided(x.line_id) for x in said),
                    "names": [[n, count] for n, count in Counter(x.character or NOBODY for x in said).most_common(4)],
                }
                for speaker, said in sorted(by_speaker.items(), key=lambda item: -len(item[1]))
            ]

    def split(self, episode_id: str, speaker: str) -> list[list[dict[str, Any]]]:
        """The lines of a voice in two groups by how they sound, each from its middle outwards."""
        with self._lock:
            episode = self._episode(episode_id)
            own = [line.line_id for line in episode.lines if line.speaker == speaker]
            voices = self._heard(episode)
            groups = (own, []) if voices is None else halves(voices, own)
            return [[self._row(self.line(line_id)) for line_id in group] for group in groups]

    def _heard(self, episode: ReviewEpisode) -> LineVoices | None:
        """The embeddings of its lines, but of those that were moved since: they were heard elsewhere."""
        if episode.voices is None:
            return None
        times = {x.line_id: (x.start_ms, x.end_ms) for x in self._on_disk[episode.episode_id].lines}
        moved = {key for key, now in self._decided.times.items() if times.get(key, now) != now}
        return episode.voices.without(moved)

    def _episode(self, episode_id: str) -> ReviewEpisode:
        episode = self._episodes.get(episode_id)
        if episode is None:
            raise ReviewError("no_episode", episode_id)
        return episode

    # --- decisions ----------------------------------------------------------------------------------------

    def meet(self, author: str) -> None:
        """An author is here: what they decide, only they undo."""
        with self._lock:
            self._present.add(author)

    def decide(self, author: str, request: Mapping[str, Any], *, seen: int | None = None) -> dict[str, Any]:
        """Take a decision, and keep it.

        Args:
            author: which browser it comes from.
            request: ``kind`` and what an act of that kind has; ``speakers`` and ``episode`` in place of ``lines`` for
                those lines of voices that are not decided yet.
            seen: the number of acts that the author knew of.

        Raises:
            InputError: it makes no sense.
            ConflictError: somebody else decided about one of the lines since ``seen``.
        """
        with self._lock:
            self.meet(author)
            act = self._checked(author, request)
            theirs = [
                line_id
                for line_id in act.lines
                if seen is not None
                for number, by in [self._decided.changed_by.get(line_id, (0, author))]
                if number > seen and by != author
            ]
            if theirs:
                raise ConflictError(theirs)
            self._heed_files()
            act = replace(act, number=len(self._history) + 1)
            self._record([act])
            return self._answer(act)

    def undo(self, author: str) -> dict[str, Any] | None:
        """Take the last decision back, of this author or of nobody who is here; what was undone."""
        return self._step_back(author, Kind.UNDO)

    def redo(self, author: str) -> dict[str, Any] | None:
        """Do again what was undone last."""
        return self._step_back(author, Kind.REDO)

    def _step_back(self, author: str, kind: Kind) -> dict[str, Any] | None:
        with self._lock:
            self.meet(author)
            mine = {act.author for act in self._history} - self._present | {author, _FILE}
            target = (next_undo if kind is Kind.UNDO else next_redo)(self._history, mine)
            if target is None:
                return None
            self._heed_files()
            self._record([self._act(author, kind=kind, target=target)])
            return self._answer(self._history[target - 1])

    def _answer(self, act: Act) -> dict[str, Any]:
        episodes = sorted(self._touched([act]))
        return {"act": act.to_dict(), "acts": self.acts, "version": self.version, "episodes": episodes}

    def _checked(self, author: str, request: Mapping[str, Any]) -> Act:
        kind = kind_of(request)
        act = self._act(author, **{**request, "kind": kind, "lines": self._meant(request)})
        if kind is Kind.CUT:
            if len(act.lines) != 1:
                raise ReviewError("one_cut_at_a_time")
            return cut(act, self.line(act.lines[0]))
        if kind is Kind.ADD:
            return addition(act, self._episode(str(request.get("episode", ""))).episode_id)
        check(act)
        if kind is Kind.RENAME and self._is_label_of_voices(act.value):
            # A label of the diarization has no other name: its lines get one.
            lines = tuple(x.line_id for x in self._lines.values() if self._now(x).character == act.value)
            return replace(act, kind=Kind.ASSIGN, lines=lines, value=act.new_name, new_name="")
        return act

    def _act(self, author: str, **values: Any) -> Act:
        return act_of(author, len(self._history) + 1, values)

    def _is_label_of_voices(self, name: str) -> bool:
        said = [line for line in self._lines.values() if line.character == name]
        return bool(said) and (name.startswith(SEASON_VOICE) or all(line.speaker == name for line in said))

    def _meant(self, request: Mapping[str, Any]) -> list[str]:
        """The lines that a request is about."""
        lines = request.get("lines") or []
        if not isinstance(lines, (list, tuple)) or not all(isinstance(each, str) for each in lines):
            raise ReviewError("not_a_list")
        for line_id in lines:
            if line_id not in self._lines:
                raise ReviewError("no_line", line_id)
        speakers = request.get("speakers") or ([request["speaker"]] if request.get("speaker") else [])
        if speakers and not lines:
            episode = self._episode(str(request.get("episode", "")))
            said = [line.line_id for line in episode.lines if line.speaker in speakers]
            return [line_id for line_id in said if not self._decided.is_decided(line_id)]
        return list(dict.fromkeys(lines))

    def _heed_files(self) -> None:
        """A table that was edited by hand meanwhile is read before it is written."""
        if self._tables.changed_by_others():
            self._take_over(*self._tables.read(self._lines, self._episodes))

    def _record(self, acts: Sequence[Act]) -> None:
        acts = [replace(act, number=len(self._history) + k) for k, act in enumerate(acts, 1)]
        self._file.add(acts)
        self._history += acts
        if all(act.is_decision for act in acts):
            for act in acts:
                self._decided.do(act)
        else:
            self._decided = decisions(self._history)
        if changed := self._adding(acts):
            self._gather(changed & self._episodes.keys())
        if any(act.kind is not Kind.APPLIED for act in acts):
            self._tables.write(self._decided, self._lines)
            self._changed(self._touched(acts))

    def _adding(self, acts: Iterable[Act]) -> set[str]:
        """The episodes that lines are added to, or taken from, by these acts; also where an added line moves."""
        meant = [self._history[act.target - 1] if act.target is not None else act for act in acts]
        moved = {x.episode for act in meant for key in act.lines if (x := self._decided.added.get(key))}
        return moved | {act.episode for act in meant if act.episode}

    def _touched(self, acts: Iterable[Act]) -> set[str]:
        found = set()
        for act in acts:
            meant = self._history[act.target - 1] if act.target is not None else act
            if meant.kind is Kind.RENAME:
                return set(self._episodes)
            found |= {meant.episode} & self._episodes.keys()
            found |= {self._lines[line_id].episode_id for line_id in meant.lines if line_id in self._lines}
        return found

    def _changed(self, episodes: Iterable[str]) -> None:
        for episode_id in episodes:
            self._gains.pop(episode_id, None)

    # --- what follows ---------------------------------------------------------------------------------------

    def think(self, episode_id: str) -> None:
        """Find out what the decisions say of an episode's other lines; takes a moment, without the lock.

        While that goes on for an episode, the next call only asks for one more round.
        """
        with self._lock:
            if episode_id not in self._episodes:
                return
            self._rounds[episode_id] = self._rounds.get(episode_id, 0) + 1
            if self._rounds[episode_id] > 1:
                return
        rounds = 1
        while rounds:
            found: Sequence[Attribution] | None = None
            with contextlib.suppress(YukiError, OSError):  # then it is only known once the decisions are applied
                found = self._tools.suggest(episode_id)
            with self._lock:
                if found is not None:
                    self._suggested |= {f"{episode_id}-{a.cue_id}": a for a in found}
                    self._gains.pop(episode_id, None)
                rounds = self._rounds[episode_id] - rounds
                self._rounds[episode_id] = rounds
                self._version += 1

    @property
    def applying(self) -> dict[str, Any]:
        """How far ``apply`` is, and what it changed."""
        with self._lock:
            return dict(self._applying)

    def apply(self) -> None:
        """Bring the episodes concerned up to date, and say what changed; one at a time."""
        with self._lock:
            if self._applying["state"] == "running":
                return
            wanted = sorted(self._to_apply())
            upto = len(self._history)
            self._applying = {"state": "running", "episodes": wanted, "subject": "", "stage": ""}
        try:
            applied = self._tools.apply(wanted, self._tell) if wanted else Applied()
            loaded = self._tools.load(wanted) if wanted else {}
            changed: list[dict[str, Any]] = []
            with self._lock:
                for episode in loaded.values():
                    changed += self._reload(episode)
                if wanted:
                    self._mark_applied(wanted, upto)
                told = {"exports": list(applied.exports), "kept": list(applied.kept), "command": applied.command}
                self._applying = {"state": "done", "episodes": wanted, "changes": changed, **told}
                self._version += 1
        except YukiError as e:
            self._fail(e)
        except Exception as e:
            self._fail(YukiError(f"{type(e).__name__}: {e}"))
            raise

    def _mark_applied(self, episodes: Sequence[str], upto: int) -> None:
        later = self._touched(act for act in self._history[upto:] if act.kind is not Kind.APPLIED)
        done = [episode_id for episode_id in episodes if episode_id not in later]
        if done:
            self._record([self._act("", kind=Kind.APPLIED, lines=done)])

    def _tell(self, subject: str, stage: str) -> None:
        with self._lock:
            self._applying = {**self._applying, "subject": subject, "stage": stage}

    def _fail(self, error: YukiError) -> None:
        with self._lock:
            self._applying = {"state": "failed", **said(error, "message")}
            self._version += 1

    def _reload(self, episode: ReviewEpisode) -> list[dict[str, Any]]:
        """The episode as it is on the disk now; how its lines differ from before."""
        episode_id = episode.episode_id
        before = self._on_disk[episode_id].lines
        for line in (*before, *self._episodes[episode_id].lines):
            self._suggested.pop(line.line_id, None)
        self._on_disk[episode_id] = episode
        self._gather([episode_id])
        self._gains.pop(episode_id, None)
        return changes(before, episode.lines)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


__all__ = [
    "MOST_LINES",
    "Applied",
    "ConflictError",
    "Desk",
    "Filter",
    "ReviewEpisode",
    "ReviewPaths",
    "Tools",
    "changes",
]
