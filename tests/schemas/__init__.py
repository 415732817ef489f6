"""Measures the conversion to MFJS on many schemas: `python -m tests.schemas`.

`realistic` makes schemas as libraries, tool servers and API descriptions write them, `mixtures` makes random ones of
any keywords, `measure` converts them and counts. Everything is made from a seed.
"""
