"""Replays reference traces of the real kernel code on the emulator and compares every step.

`python -m tests.conform FILE...` takes JSON Lines, plain or gzipped.
"""
