"""The stand-in for the outside services we have no key for.

One small web server on loopback that speaks their wire formats, each under its own path
(`/gemini`, `/openai`, …), so that the same clients talk to it and to the real ones. It really edits
the pictures it is sent, really measures what it is asked about, checks signatures and tokens, and
marks all it makes SANDBOX. The same request with the same seed has the same answer.

It keeps a journal of the requests it got, and misbehaves as it is told (`faults`), both under
`/_sandbox`. All of it is forgotten when it stops. It knows nothing of the rest of Darkroom.
"""
