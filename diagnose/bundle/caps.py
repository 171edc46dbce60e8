"""How much of a bundle is looked at, whatever it says of itself. docs/bundles.md tells them.

The caps on what is unpacked stand in `diagnose.unpack`.
"""

from __future__ import annotations

DEPTH_MAX = 4
"""Archives inside of archives, and layers of compression around one file."""
FOLDER_DEPTH_MAX = 32
"""Directories nested deeper are not entered."""
MEMBERS_MAX = 100_000
"""So many members, headers included, of everything inside one given input are looked at."""
HEADER_BYTES_MAX = 1 << 20
"""A long name, or the extended header, of one member of a tar."""
DIRECTORY_BYTES_MAX = 1 << 23
"""The central directory of a zip, which has to be held in memory."""
SPOOL_BYTES_MAX = 1 << 30
"""A zip that comes through a pipe, or lies in an archive; its directory stands at its end."""
SPOOL_MEMORY_BYTES = 1 << 24
"""So much of that is held in memory, the rest in a temporary file without a name."""
NAME_LENGTH_MAX = 4096
"""Names are shown as far as this."""
