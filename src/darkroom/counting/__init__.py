"""Counting plants in nursery photos: containers, detections, band estimates."""
