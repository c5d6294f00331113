"""Pictures edited, made, marked and measured, without any model. Pure: pixels in, pixels out."""
