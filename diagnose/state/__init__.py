"""State files and dumps as witnesses: what the host was like when somebody looked.

`files` reads them, `host` answers what they say together, and the other modules join that with the
logs, one join each. A state tells how things were at one moment and never why, so nothing here
accuses anybody.
"""
