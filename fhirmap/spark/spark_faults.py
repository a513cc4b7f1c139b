"""What Spark and its Java say, as a `ConfigError`: the name of the condition, never words, which may hold a cell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException

from fhirmap.errors import ConfigError

__all__ = ["spark_errors_as"]


@contextmanager
def spark_errors_as(code: str, source: str = "") -> Iterator[None]:
    """Turns what Spark raises inside into a ConfigError of ``code``, the condition's name as its ``reason``."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise ConfigError(code, variant="spark", reason=_condition(error), source=source) from None


def _condition(error: Exception) -> str:
    """The name of the condition (`PATH_NOT_FOUND`), else of the Java class that was thrown first."""
    if isinstance(error, PySparkException) and (named := error.getCondition()):
        return named
    thrown = error.java_exception if isinstance(error, Py4JJavaError) else getattr(error, "_origin", None)
    if thrown is None:
        return type(error).__name__
    while (cause := thrown.getCause()) is not None and not cause.equals(thrown):
        thrown = cause
    return str(thrown.getClass().getSimpleName())
