"""The report of an episode: one HTML file that shows who spoke, when, and how sure that is."""

from __future__ import annotations

from yuki_builder.corpus.report.render import write_report

__all__ = ["write_report"]
