"""Subtitles: spoken words become cues by the rules that professionals keep, and cues become files.

Pure functions over plain data. Times of cues are whole milliseconds, so that what a file says is
exactly what was checked.
"""
