"""Labelled incidents made up from the emulator: stories, their logs, and what is to be found."""
