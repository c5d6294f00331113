"""Pictures and short videos, enlarged up to four times by Real-ESRGAN's networks.

orders ──▶ pictures │ films ──▶ a file of the same kind, checked
"""
