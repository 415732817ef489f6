"""The official tools (Formula): `catalogue` declares them, `run` executes them, `sealed` hides and reads outputs."""
