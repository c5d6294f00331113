"""The console: what operators see of the queue, and what they do to it. Pages and JSON API."""
