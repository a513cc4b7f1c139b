"""Is there anybody at the address? What no answer of the operation is says nothing of its record until one has come.

A wrong address answers every record alike: 404, 405, a page for browsers with 200. Ten records are not refused for
that, nor for a route that is lost in the middle of a run. Such an answer is about the record where the operation has
answered another one between two of them: what a gateway does not let pass is refused.
"""

from __future__ import annotations

from dataclasses import replace

from fhirmap.records import Receipt, ReceiptState

__all__ = ["FirstAnswers"]

_VERDICTS = (ReceiptState.ACCEPTED, ReceiptState.REFUSED)


class FirstAnswers:
    """The answers of a run that are not the operation's, since its last one."""

    MOST = 3
    """Distinct records in a row after which the address is held to be wrong."""

    def __init__(self) -> None:
        self._strangers: set[int] = set()
        self._own: set[int] = set()
        """Records that got such an answer before the operation answered another one."""
        self.is_known = False
        """Has the operation accepted or refused a record of this run?"""

    @property
    def is_doubtful(self) -> bool:
        """Did strangers answer, and the operation never?"""
        return bool(self._strangers) and not self.is_known

    @property
    def is_wrong(self) -> bool:
        """Is it the wrong address?"""
        return self.is_doubtful and len(self._strangers) >= self.MOST

    def noted(self, entry_id: int, receipt: Receipt) -> Receipt:
        """The receipt as it is to be noted: refused by a stranger is not refused. What may have been taken stays
        uncertain."""
        if not receipt.is_stranger:
            if receipt.state in _VERDICTS:
                self.is_known = True
                self._own |= self._strangers
                self._strangers.clear()
            return receipt
        if entry_id in self._own or receipt.state is ReceiptState.ACCEPTED:
            return receipt
        self._strangers.add(entry_id)
        if receipt.state is ReceiptState.UNCERTAIN:
            return receipt
        return replace(receipt, state=ReceiptState.DEFERRED, code="FM621")

    def tries(self, receipt: Receipt, attempts: int) -> int:
        """How often a run that makes ``attempts`` sends a record which got this answer.

        What was refused by a stranger goes once more whatever they are: the operation may have answered others
        meanwhile. What may have been taken goes at most twice, and only where the operation is there.
        """
        if not receipt.is_stranger:
            return attempts
        if receipt.state is ReceiptState.UNCERTAIN:
            return min(attempts, 2) if self.is_known else 1
        return 2
