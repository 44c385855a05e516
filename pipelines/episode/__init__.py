"""One episode, from the video to its lines. ``stages.py`` is the ordered list: read it first."""
