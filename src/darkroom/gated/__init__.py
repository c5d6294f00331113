"""What steps of every pipeline share: stored files and models, each behind its breaker.

Faults of the storage or of a model count against its breaker, a photo that cannot be read does not.
A step that meets an open breaker is put back until it may try, and burns no attempt.
"""
