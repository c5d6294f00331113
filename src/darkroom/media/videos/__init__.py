"""Videos made of pictures and clips.

    pictures, clips, sounds ──▶ a plan of scenes ──▶ a film a scene ──▶ one film ──▶ with subtitles

A plan is plain data, and so is the graph of filters that ffmpeg is given for it: both are made by
pure functions. What people wrote is drawn as a picture and laid over the film, so that none of it
is ever part of a filter.
"""
