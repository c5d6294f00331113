"""The outside services, one module each, all through one HTTP client.

    step ──▶ buying.buy ──▶ gates (breaker, pace, permit, budget) ──▶ gemini.edit ──▶ http.send
                │                                                                       │
                └── provider_answers ◀── store ◀── spool ◀── the answer, as it came ◀───┘

The modules of the services are thin: they make a request as the service wants it, and read its
answer into something typed or into one of `darkroom.errors`. They know neither database nor queue.
`buying` is the way to anything that costs money: an answer is kept before anything is done with
it, so that a step that is tried again does not pay twice. `calling` is the way to all other calls.

A service that we have no key for is the sandbox, which speaks its wire format on loopback.
"""
