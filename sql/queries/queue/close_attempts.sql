-- Close many open attempts as succeeded: which leases held, and which runs are over.
SELECT lease, verdict FROM darkroom_close_attempts_v2(%(leases)s, %(logs)s::text[])
