"""Media services: what is made of sound and moving pictures.

    sound ──▶ words ──▶ subtitles ──▶ files, or a video that carries them

Everything runs through ffmpeg as a child process, or is plain functions over plain data; models
stay in `darkroom.vision`.
"""
