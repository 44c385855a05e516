"""Names for what other tools have in a column or as a file: safe for them, and never two for one or one for two."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable

from yuki_builder.names import path_name

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]+")
_LONGEST = 60


def file_key(line_id: str) -> str:
    """A line's id as a file's name without suffix: ASCII letters, digits and single ``-`` or ``_`` between them.

    Tar files of the plain kind hold 100 bytes of a name, loaders end a name at its first dot, tables end a column
    at a bar, and spreadsheets begin a formula at ``=``. An id with anything else in it gets a hash of the id at the
    end, so that two lines never share a key.
    """
    plain = _NOT_PLAIN.sub(lambda found: found[0] if found[0] in ("-", "_") else "_", line_id).strip("-_")
    if plain and plain == line_id and len(plain) <= _LONGEST:
        return plain
    # The end says most: the cue's time and hash.
    return f"{plain[-_LONGEST:].lstrip('-_')}-{_hash(line_id)}".lstrip("-")


def distinct_labels(
    names: Iterable[str], clean: Callable[[str], str], *, taken: Collection[str] = ()
) -> dict[str, str]:
    """A label for each name: ``clean(name)``, with a hash of the name where that is another's, or ``taken``.

    Capitals make no difference, since to many disks they do not. The first in alphabetical order keeps the plain
    label, so that labels do not depend on who speaks first.

    Args:
        names: all names.
        clean: makes a label of a name.
        taken: labels that are not free.
    """
    labels: dict[str, str] = {}
    used = {label.casefold() for label in taken}
    for name in sorted(set(names)):
        label = clean(name)
        if label.casefold() in used:
            label = f"{label}-{_hash(name)}"
        used.add(label.casefold())
        labels[name] = label
    return labels


def folders_of(characters: Iterable[str], *, taken: Collection[str] = ()) -> dict[str, str]:
    """The folder of each character, beside the card (``README.md``) and what else is ``taken``."""
    return distinct_labels(characters, path_name, taken=("README.md", *taken))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
