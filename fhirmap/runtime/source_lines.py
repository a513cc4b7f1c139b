"""Lines of texts that are in no file, or not any more, for tracebacks: kept as long as a transformer that shows them.

Two transformers may have the same name (one map compiled twice, or a map and its edited copy). Each keeps its own text;
what is shown under the name is the latest text of those that live.
"""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Mapping
from threading import RLock

__all__ = ["keep_lines"]

# A finaliser may run at any allocation, also in the thread that holds the lock.
_LOCK = RLock()
_HELD: dict[str, dict[object, str]] = {}
"""Name -> text of each owner, the latest last."""


def keep_lines(owner: object, texts: Mapping[str, str]) -> None:
    """Let tracebacks show ``texts`` (file name -> characters) until ``owner`` is collected."""
    token = object()
    with _LOCK:
        for name, text in texts.items():
            _HELD.setdefault(name, {})[token] = text
            _show(name, text)
    weakref.finalize(owner, _release, token, tuple(texts)).atexit = False


def _release(token: object, names: tuple[str, ...]) -> None:
    with _LOCK:
        for name in names:
            held = _HELD[name]
            del held[token]
            if held:
                _show(name, next(reversed(held.values())))
            else:
                del _HELD[name]
                linecache.cache.pop(name, None)


def _show(name: str, text: str) -> None:
    # Without a time stamp, so that `linecache.checkcache` does not look for a file.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
