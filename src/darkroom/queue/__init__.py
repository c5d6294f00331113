"""What turns procrastinate's jobs into runs, steps and attempts.

What it guarantees:

* A run's first job is enqueued in the transaction that creates the run; no job without its row.
* A step's lease is its open row in `attempts`. What a step writes commits together with the
  closing of that row, so a worker that lost its lease can commit nothing.
* A step ends once: `succeeded`, `failed` or `cancelled`; on its way there it may be `retried`,
  `given_back` (no attempt burned) or `lost` (its worker died).
* The last of N fanned-out steps to end enqueues their callback, exactly once.

A job's life (procrastinate's status words)::

    todo ──fetch──▶ doing ──save committed──▶ succeeded
      ▲               ├── Transient, lost ──▶ todo (attempt burned) … ▶ failed
      └── NotNow, stop┤
                      ├── Permanent, Invalid ▶ failed
                      └── Cancelled ─────────▶ aborted          todo ──cancel──▶ cancelled
"""
