"""Models that see: weights, the runtime they run on, containers, sliced plant detection.

This package knows no database, no queue and no Flask. Importing it costs nothing: torch, OpenVINO
and ultralytics are imported by the functions that need them.
"""
