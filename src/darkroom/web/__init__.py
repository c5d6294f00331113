"""The Flask app: layout, sign-in, live events, errors, and the pages that no pipeline owns."""
