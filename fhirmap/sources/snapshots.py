"""A source that can be read as it was at one moment, together with others of the same place."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from fhirmap.sources.protocol import Source

__all__ = ["SnapshotSource"]


@runtime_checkable
class SnapshotSource(Protocol):
    """A source whose place has transactions. Others are read as they are when they are read."""

    def one_snapshot(self, others: Sequence[Source]) -> AbstractContextManager[None]:
        """Until the context ends, this source and those of ``others`` that are in the same place read one snapshot.

        Raises: ConfigError where the place cannot be read.
        """
