"""The limits of the organization as Kimi counts them: which requests get a 429, and what was used.

`limiter` decides, `windows` counts within a minute or a day, `report` is what users read.
"""
