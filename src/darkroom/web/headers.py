"""Security headers of every answer: nothing but our own scripts, styles and frames."""

from urllib.parse import urlsplit

from flask import Response, request

from darkroom.settings import S3Settings, Settings

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Flask-WTF checks the referrer of https posts, so that it must reach ourselves.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), camera=(), payment=()",
}


def content_policy(settings: Settings) -> str:
    """The Content-Security-Policy: ourselves, previews made by the page, and the S3 bucket."""
    bucket = _bucket_origins(settings.s3)
    images = " ".join(["'self'", "data:", "blob:", *bucket])
    media = " ".join(["'self'", "blob:", *bucket])
    return (
        f"default-src 'self'; img-src {images}; media-src {media}; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def add_headers(response: Response, policy: str) -> Response:
    """Set the headers; what a view has set already stays."""
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", policy)
    if "Cache-Control" not in response.headers and request.endpoint != "static":
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def _bucket_origins(s3: S3Settings | None) -> list[str]:
    if s3 is None:
        return []
    if s3.endpoint_url is None:
        return ["https://*.amazonaws.com"]
    parts = urlsplit(s3.endpoint_url)
    return [f"{parts.scheme}://{parts.netloc}", f"{parts.scheme}://{s3.bucket}.{parts.netloc}"]
