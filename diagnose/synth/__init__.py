"""Labelled incidents made up from the emulator: stories, their logs, and what is to be found.

    choices → draft (kinds, free) → stage → console → keep → label → incident

A story happens on the machine, its lines are printed by the grammars and kept as a host would keep
them; the label tells what happened and what a reader of these very lines can know.

**Invariant:** truth comes from the emulator's violations, never from a text, a rule or a diagnosis.
"""
