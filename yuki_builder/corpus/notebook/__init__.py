"""A corpus in a notebook: look at it, listen to it, correct it."""
