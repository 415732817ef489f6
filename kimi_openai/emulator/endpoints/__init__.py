"""The endpoints, one module each: a recorded request comes in, a `Response` goes out.

`routes` lists the paths. A new endpoint is a new module and a line there.
"""
