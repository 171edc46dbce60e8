"""The program's knowledge, to be read: messages, kernel rows, fixes, rules, words, facts, traits.

Each module takes one kind of thing off its shelf: the names that there are, a *sheet* with all that
is known about one of them, and how a sheet is written for people. A sheet is a record; as JSON it
is written key for key.

**Invariant:** nothing is known here; every sentence comes from the data that the program runs on.
"""
