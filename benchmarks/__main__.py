"""Every measurement, one after the other: `make bench`."""

from __future__ import annotations

from benchmarks import lookups, pipeline, questionnaire, sources, transformer, validator, wildcard_maps


def main() -> int:
    """1 where one of them is over its bound."""
    codes = [transformer.main(), validator.main(), questionnaire.main(), wildcard_maps.main(), sources.main([])]
    codes += [lookups.main([]), pipeline.main([])]
    return max(code or 0 for code in codes)


if __name__ == "__main__":
    raise SystemExit(main())
