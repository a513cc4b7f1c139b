"""FML's own transforms, by theme: text, dates, coding, references, quantity.

Each takes plain values (a primitive, or FHIR JSON) and gives one; None is absent, in and out. What cannot be done is a
``TransformFailed`` with the arguments' kinds and lengths, never their text.
"""
