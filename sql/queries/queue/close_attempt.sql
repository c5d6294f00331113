-- Close an open attempt and move its job on; false when the lease was lost.
SELECT darkroom_close_attempt_v2(
    :lease, :outcome, :job_status, :retry_at, :burn, :error_class, :error_message, :traceback,
    :log
)
