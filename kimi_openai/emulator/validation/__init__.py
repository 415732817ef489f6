"""What Kimi refuses: one module for each field or endpoint, each rule a function that returns a `Problem` or None.

`body` has the order of the rules for a chat body. Schemas are checked in the package `mfjs`.
"""
