"""``python -m fhirmap``."""

from fhirmap.cli import main

if __name__ == "__main__":
    main()
