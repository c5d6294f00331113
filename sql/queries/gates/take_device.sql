-- Take a device for a step of a process; false when it is another one's turn.
SELECT darkroom_take_device_v1(:device, :runtime, :lease, :at) AS is_taken, clock_timestamp() AS now
