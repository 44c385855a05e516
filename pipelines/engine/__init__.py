"""Stages and their store: what is done, by which recipe. Knows nothing of subtitles or voices."""
