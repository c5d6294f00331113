"""The catalog: articles, the versions of their pictures, and edits of them in bulk.

The words of tables and JSON are Spanish: they are those of the system this replaces.
"""
