"""The version of fhirmap, in one place: the build reads it here, and so does every generated module's header."""

__version__ = "0.1.0"
