"""The project's version, for everybody: the package's own ``__version__`` is it."""

__version__ = "0.1.0"
