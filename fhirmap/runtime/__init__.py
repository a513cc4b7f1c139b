"""What generated code calls: the standard library and `fhirmap.errors` alone, and no knowledge of the compiler."""
