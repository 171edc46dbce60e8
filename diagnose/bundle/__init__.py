"""Logs that lie in something: directories, tar and zip archives, in one another, and rotated sets.

**Invariant:** members are streamed one after the other; nothing is extracted, and no member decides
where anything is written, because nothing is.
"""
