"""XML as files of subtitles have it, by a real parser that expands no entity of the file's own."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from yuki_builder.subtitles.formats.base import Source

_BARE_AMPERSAND = re.compile(r"&(?!(?:[A-Za-z][A-Za-z0-9]{1,30}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});)")
_HTML_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\w{1,8});)([A-Za-z][A-Za-z0-9]{1,30});")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARATION = re.compile(r"\s*<\?xml[^<>]{0,200}\?>")
_MAX_DEPTH = 200


def parse_xml(source: Source, *, title: str) -> Element:
    """The root of the tree.

    Bare ampersands, control characters and HTML's entities are mended, since many tools write them.

    Raises:
        SubtitleError: no well-formed XML, entities of its own, or nested beyond all sense.
    """
    import html

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    text = _CONTROL.sub("", _DECLARATION.sub("", source.text, count=1)).strip()
    if "&" in text and "<!ENTITY" not in text:
        text = _HTML_ENTITY.sub(lambda match: as_reference(html.unescape(match[0])), text)
        text = _BARE_AMPERSAND.sub("&amp;", text)
    remedy = "convert it to SRT"
    try:
        root: Element = fromstring(text, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except ParseError as e:
        source.refuse(f"damaged as a {title} file ({e})", remedy=remedy, cause=e)
    except (DefusedXmlException, ValueError, RecursionError) as e:
        source.refuse(f"not a plain {title} file: it declares entities of its own", remedy=remedy, cause=e)
    if _is_deep(root):
        source.refuse(f"not a plain {title} file: elements are nested too deeply", remedy=remedy)
    return root


def as_reference(characters: str) -> str:
    """Characters as XML can carry them whatever they are."""
    return "".join(f"&#{ord(c)};" for c in characters)


def local_name(name: str) -> str:
    """The name of an element or attribute without its namespace."""
    return name.rpartition("}")[2] if "}" in name else name.rpartition(":")[2]


def attribute(element: Element, name: str) -> str | None:
    """An attribute by its name in whatever namespace."""
    value = element.get(name)
    if value is not None:
        return value
    return next((value for key, value in element.items() if local_name(key) == name), None)


def _is_deep(root: Element) -> bool:
    level = [root]
    for _ in range(_MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True
