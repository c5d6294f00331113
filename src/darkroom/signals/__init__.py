"""Signals to the outside: webhooks that hear what happens to runs.

What it guarantees:

* A delivery and the job that sends it are written in the transaction that changed the run's
  status (`darkroom_signal_run`, a trigger), whoever changes it.
* A message has one id and may arrive more than once: receivers tell repeats by `webhook-id`.
* The messages of a run go out in order until one fails; those behind it then pass, and `timestamp`
  says what came first.
* An endpoint of a member is a public address at the moment of every connection.
"""
