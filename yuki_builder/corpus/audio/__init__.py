"""The sound of lines: clips, levels, quality."""
