"""From finished episodes to one corpus. ``stages.py`` is the ordered list."""
