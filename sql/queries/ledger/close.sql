-- Pay a reservation ('capture') or give its tokens back ('release').
SELECT darkroom_close_reservation_v1(:reservation_id, :how)
