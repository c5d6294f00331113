-- Write a step's progress, fenced by its lease: 'held', 'lost' or 'cancelled'.
SELECT darkroom_report_progress_v1(:lease, :fraction, :note, CAST(:note_values AS jsonb))
