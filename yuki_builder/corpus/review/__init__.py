"""A page to check a corpus in, served on this computer: what is decided there is what the next run reads."""

from __future__ import annotations

from yuki_builder.corpus.review.app import make_app, require_review
from yuki_builder.corpus.review.desk import Applied, Desk, Filter, ReviewEpisode, ReviewPaths, Tools
from yuki_builder.corpus.review.doubt import LineVoices, gains
from yuki_builder.corpus.review.messages import ReviewError
from yuki_builder.corpus.review.server import serve

__all__ = [
    "Applied",
    "Desk",
    "Filter",
    "LineVoices",
    "ReviewEpisode",
    "ReviewError",
    "ReviewPaths",
    "Tools",
    "gains",
    "make_app",
    "require_review",
    "serve",
]
