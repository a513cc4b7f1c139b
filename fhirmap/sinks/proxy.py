"""Which proxy a host is reached by: the project's, or that of the environment, unless NO_PROXY names the host.

The rules are curl's, and hold for every kind of proxy: NO_PROXY is looked at for the project's proxy too. On loopback
the environment's proxies are not used: they surprise there.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from fhirmap.errors import ConfigError
from fhirmap.texts import Text

__all__ = ["ProxyRoute", "find_proxy", "is_loopback"]

_KINDS = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}
_SETTING = "[sink] proxy"
_SOCKS_BYTES = 255
"""Of a user and of a password, at most (RFC 1929)."""
_SEPARATORS = re.compile(r"[,\s]+")


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """How one host is reached. ``url``: the proxy without user and password; empty: directly.

    ``origin``: the setting or variable that names the proxy; ``shown``: its host and port. ``excepted``: there is a
    proxy, and NO_PROXY names the host.
    """

    url: str = ""
    origin: str = ""
    shown: str = ""
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)
    excepted: bool = False

    @property
    def is_socks(self) -> bool:
        """Is it a SOCKS proxy?"""
        return self.url.startswith("socks5")


def find_proxy(url: str, setting: str | None) -> ProxyRoute:
    """The way to the host of ``url``. ``setting``: the project's proxy; the environment's is used where it has none.

    Raises: ConfigError FM791 where the proxy is not one that can be used.
    """
    parts = urlsplit(url)
    found = getproxies()
    origin, text = _SETTING, (setting or "").strip()
    if not text:
        if is_loopback(url):
            return ProxyRoute()
        kind = parts.scheme if found.get(parts.scheme) else "all"
        origin, text = _variable(f"{kind}_proxy"), found.get(kind, "").strip()
    if not text:
        return ProxyRoute()
    port = parts.port or _PORTS.get(parts.scheme)
    if _is_excepted(parts.hostname or "", port, found.get("no", "")):
        return ProxyRoute(excepted=True, origin=origin)
    return _read(text, origin)


@lru_cache(maxsize=16)
def is_loopback(url: str) -> bool:
    """Does the URL's host lie on this machine?"""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _variable(name: str) -> str:
    """How the environment spells it; the usual form where a system's settings name the proxy."""
    return name if os.environ.get(name) else name.upper()


def _read(text: str, origin: str) -> ProxyRoute:
    """A proxy's URL. A variable may leave out `http://`, as with curl."""
    try:
        parts = urlsplit(text if "://" in text or origin == _SETTING else f"http://{text}")
        host = parts.hostname if parts.port is None or parts.port else None  # a port that is none raises
    except ValueError:
        host = None
    if not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise _unusable(origin, Text("reasons.not_proxy_url"))
    if parts.scheme not in _KINDS:
        raise _unusable(origin, Text("reasons.proxy_kind", {"names": ", ".join(_KINDS)}))
    if parts.scheme.startswith("socks5") and find_spec("socksio") is None:
        raise _unusable(origin, Text("reasons.no_socks"))
    netloc = parts.netloc.rpartition("@")[2]
    user = None if parts.username is None else unquote(parts.username)
    route = ProxyRoute(f"{parts.scheme}://{netloc}", origin, netloc, user, unquote(parts.password or ""))
    if route.is_socks and any(len(part.encode()) > _SOCKS_BYTES for part in (user or "", route.password)):
        raise _unusable(origin, Text("reasons.socks_login"))
    return route


def _unusable(origin: str, reason: Text) -> ConfigError:
    if origin == _SETTING:
        return ConfigError("FM791", what="proxy", reason=reason)
    return ConfigError("FM791", variant="environment", variable=origin, reason=reason)


def _is_excepted(host: str, port: int | None, names: str) -> bool:
    """Does NO_PROXY name the host? Names with all that ends in them (a leading dot or `*.` changes nothing),
    addresses, networks (`10.0.0.0/8`), each with or without a port; `*` is every host."""
    return any(_names(entry, _plain(host), port) for entry in _SEPARATORS.split(names) if entry)


def _names(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass  # a name, or an entry with a port
    name, only = entry, None
    before, colon, after = entry.rpartition(":")
    if colon and after.isdecimal() and (":" not in before or before.endswith("]")):
        name, only = before, int(after)
    if only is not None and only != port:
        return False
    name = _plain(name.removeprefix("*").strip("[]"))
    return bool(name) and (host == name or (host.endswith(f".{name}") and not _is_address(host)))


def _plain(name: str) -> str:
    """A host as names are compared: lower case, no dots around it, in the form that DNS has it in."""
    lowered = name.strip(".").lower()
    try:
        return lowered if lowered.isascii() else lowered.encode("idna").decode("ascii")
    except UnicodeError:
        return lowered


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
