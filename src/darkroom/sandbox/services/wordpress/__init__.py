"""WordPress: who is let in, the media library, posts, and their custom fields (ACF)."""

from darkroom.sandbox.services.wordpress.routes import service

__all__ = ["service"]
