"""Elements as the trees that paths lead into: names as the model writes them, texts, attributes, children."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, cast

from fhirmap.data import RawValue
from fhirmap.records import TreeText
from fhirmap.sources.files.xml_text import XML, XmlElement

__all__ = ["TEXT", "XmlNames", "attributes_of", "record_of", "value_of"]

TEXT = "#text"
"""The name of an element's own text, beside its attributes and children."""


class XmlNames(dict[str, str]):
    """Names of the model by those of the document, `{namespace}name`; empty where the model has no prefix for one.

    ``with_members``: elements, as the model names them, of which attributes or child rows are read. Their text alone is
    a `TreeText` as well: what one of them lacks is absent, and no fault.
    """

    def __init__(self, prefixes: Mapping[str, str], with_members: Iterable[str] = ()) -> None:
        super().__init__()
        self.with_members = frozenset(with_members)
        self._prefixes = {namespace: prefix for prefix, namespace in reversed((*prefixes.items(), ("xml", XML)))}
        self._namespaces = {"xml": XML, **prefixes}

    def __missing__(self, name: str) -> str:
        found = self[name] = self._name(name)
        return found

    def _name(self, name: str) -> str:
        if not name.startswith("{"):
            return name
        namespace, _, local = name[1:].partition("}")
        prefix = self._prefixes.get(namespace)
        return "" if prefix is None else f"{prefix}:{local}"

    def document_name(self, name: str) -> str:
        """The document's name for one that the model writes; one that no document has where its prefix is not known."""
        prefix, mark, local = name.rpartition(":")
        if not mark:
            return name
        namespace = self._namespaces.get(prefix)
        return name if namespace is None else f"{{{namespace}}}{local}"


def value_of(element: XmlElement, names: XmlNames) -> RawValue:
    """What an element is: None without anything in it, its text, a `TreeText` where it has attributes or text between
    its children, else its children by name, a list where there are several of one name.

    Elements and attributes of a namespace for which the model has no prefix are not there.
    The text of an element with children is theirs too, with a line break for each empty one between texts: `12<br/>34`
    is no 1234.
    Shape: `<p u="h"><n>1</n><n>2</n></p>` becomes `{"@u": "h", "n": ["1", "2"]}`.
    """
    members = attributes_of(element, names)
    text = element.text
    if not len(element):
        if not members:
            return text if text is None or names[element.tag] not in names.with_members else TreeText(text, {})
        if text is None:
            return TreeText("", members)
        members[TEXT] = text
        return TreeText(text, members)
    is_mixed = text is not None and not text.isspace()
    for child in element:
        tail = child.tail
        if tail is not None and not tail.isspace():
            is_mixed = True
        if name := names[child.tag]:
            add(members, name, value_of(child, names))
    if not is_mixed:
        return members
    whole = members[TEXT] = _whole_text(element)
    return TreeText(whole, members)


def _whole_text(element: XmlElement) -> str:
    """The texts of an element and of those in it. In the place of an element with nothing in it, such as `<br/>`, a
    line break where there are texts on both sides: without it, two numbers would be read as one."""
    parts = list(_texts(element))
    filled = [place for place, part in enumerate(parts) if part and not part.isspace()]
    texts = enumerate(parts)
    return "".join(("\n" if filled[0] < at < filled[-1] else "") if part is None else part for at, part in texts)


def _texts(element: XmlElement) -> Iterator[str | None]:
    """The texts in the order of the document, None for an element with nothing in it."""
    if element.text:
        yield element.text
    for child in element:
        if len(child) or child.text:
            yield from _texts(child)
        else:
            yield None
        if child.tail:
            yield child.tail


def add(members: dict[str, Any], name: str, value: RawValue) -> None:
    """Put a child beside the others; several of one name are a list."""
    if name not in members:
        members[name] = value
        return
    held = members[name]
    if type(held) is list:
        held.append(value)
    else:
        members[name] = [held, value]


def attributes_of(element: XmlElement, names: XmlNames) -> dict[str, Any]:
    """The attributes of an element, `@name` each."""
    found: dict[str, Any] = {}
    for name, value in cast(list[tuple[str, str]], element.items()):
        if known := names[name]:
            found[f"@{known}"] = value
    return found


def record_of(element: XmlElement, names: XmlNames, wanted: Collection[str]) -> dict[str, Any]:
    """A record's element as its tree: its attributes, and what is ``wanted`` of its children and of its own text, which
    is `#text`. ``wanted``: names of the document."""
    members = attributes_of(element, names)
    if TEXT in wanted and isinstance(whole := value_of(element, names), str) and whole:
        members[TEXT] = str(whole)
    if wanted:
        for child in element.iterchildren(*wanted):
            add(members, names[child.tag], value_of(child, names))
    return members
