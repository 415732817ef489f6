"""What the emulated model writes. A script or the default answer is a list of steps; the engine makes a reply of it.

`script` defines the steps, `default_answer` makes them without a script, `engine` applies the rules of generation,
`chunks` writes the result as the wire shows it.
"""
