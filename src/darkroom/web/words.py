"""The words that come from data rather than from a page: states, steps, notes, messages.

Jobs and services speak English: sentences with {places}. Those that people may meet are listed
here, so that they are in the catalogs; `say` translates one that arrives, filled in or not.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from flask_babel import gettext


def N_(text: str) -> str:
    """Mark a text for the catalogs; it is translated where it is shown."""
    return text


STATES = {
    "pending": N_("Waiting"),
    "waiting": N_("Waiting"),
    "scheduled": N_("Scheduled"),
    "running": N_("Running"),
    "processing": N_("Running"),
    "completed": N_("Done"),
    "succeeded": N_("Done"),
    "uploaded": N_("Waiting"),
    "counted": N_("Counted"),
    "drawn": N_("Done"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
    "retried": N_("Failed, tried again"),
    "given_back": N_("Given back"),
    "lost": N_("Worker lost"),
    "review": N_("Needs review"),
    "needs_location": N_("Needs a location"),
    "reviewed": N_("Reviewed"),
    "delivered": N_("Delivered"),
    "skipped": N_("Not sent"),
    "active": N_("Active"),
    "paused": N_("Paused"),
    "disabled": N_("Switched off"),
    "ready": N_("Ready"),
    "generating": N_("Running"),
    "unlocking": N_("Unlocking"),
    "unlocked": N_("Unlocked"),
}

PIPELINES = {
    "counting": N_("Counting"),
    "catalog": N_("Catalog"),
    "variants": N_("Variants"),
    "publishing": N_("Publishing"),
    "images": N_("Pictures"),
    "prompts": N_("Prompts"),
    "enhancing": N_("Enlarging"),
    "subtitles": N_("Subtitles"),
    "portraits": N_("Portraits"),
    "faces": N_("Face swap"),
    "videos": N_("Videos"),
}

STEPS = {
    "counting.ingest": N_("Receive the photos"),
    "counting.locate": N_("Find the location"),
    "counting.compare": N_("Look for plants on two photos"),
    "counting.detect": N_("Count the plants"),
    "counting.aggregate": N_("Add up"),
    "counting.draw": N_("Draw the result"),
    "counting.recount": N_("Apply corrections"),
    "catalog.fetch": N_("Get a picture from the web"),
    "catalog.follow": N_("Queue what has arrived"),
    "catalog.edit": N_("Edit a picture"),
    "catalog.forget": N_("Remove the pictures of a deleted article"),
    "catalog.conclude": N_("Sum up"),
    "variants.analyse": N_("Look at the photo"),
    "variants.generate": N_("Make a variant"),
    "variants.ready": N_("Tell that they are ready"),
    "variants.tell": N_("Tell by e-mail"),
    "variants.mend": N_("Put the texts right"),
    "variants.enlarge": N_("Enlarge to 8K"),
    "publishing.begin": N_("Begin"),
    "publishing.generate": N_("Make a picture"),
    "publishing.send": N_("Hand over to the site"),
    "publishing.upload": N_("Upload to the media library"),
    "publishing.copy": N_("Copy to the bucket"),
    "publishing.attach": N_("Write the fields of the post"),
    "publishing.write": N_("Write the post"),
    "publishing.fill": N_("Fill the post's fields"),
    "enhancing.enlarge": N_("Enlarge a picture"),
    "enhancing.film": N_("Enlarge a video"),
    "subtitles.hear": N_("Write down what is said"),
    "subtitles.burn": N_("Put the subtitles into the video"),
    "images.generate": N_("Make a picture"),
    "prompts.improve": N_("Improve the prompt"),
    "videos.render": N_("Make the video"),
    "videos.hear": N_("Write down what is said"),
    "videos.burn": N_("Put the subtitles into the video"),
    "faces.swap": N_("Swap the faces"),
    "portraits.animate": N_("Make the video of a portrait"),
    "notifying.alert": N_("Alert"),
    "notifying.slack": N_("Alert by Slack"),
    "notifying.email": N_("Alert by e-mail"),
    "signalling.deliver": N_("Tell a webhook"),
}

EVENTS = {
    "run.created": N_("A run was asked for"),
    "run.started": N_("It began"),
    "run.succeeded": N_("It succeeded"),
    "run.failed": N_("It failed"),
    "run.cancelled": N_("It was cancelled"),
}

LANES = {
    "io": N_("Lane io (network and files)"),
    "cpu": N_("Lane cpu"),
    "gpu": N_("Lane gpu (models)"),
}

CONTAINERS = {"plug": N_("Plug tray"), "box": N_("Box"), "segment": N_("Segment")}

CLASSES = {"plant": N_("Plant"), "plants": N_("Plants")}

ROLES = {
    "admin": N_("Administrator"),
    "member": N_("Member"),
    "viewer": N_("Viewer"),
}

PURPOSES = {
    "start": N_("To begin with"),
    "grant": N_("Granted"),
    "unlock": N_("Unlocking a variant"),
    "upscale": N_("Enlarging it"),
    "preview": N_("Previews"),
}

ENTRIES = {
    "grant": N_("Granted"),
    "reserve": N_("Set aside"),
    "capture": N_("Paid"),
    "release": N_("Given back"),
}

SENTENCES = (
    N_("cancelling"),
    N_("More than {limit} calls. Try again in {seconds} s."),
    N_("The run is {status} already; there is nothing to cancel."),
    N_("The run is still going on. Cancel it first, or wait for its end."),
    N_("Some steps of the run are still stopping. Try again in a moment."),
    N_("Every step of this run succeeded; there is nothing to retry."),
    N_("This run's steps were cleaned up; it cannot be retried. Send it again."),
    N_("There is no such run."),
    N_("There is no such step."),
    N_("Only a step that failed or was cancelled can be retried."),
    N_("The run is over."),
    N_("{number} photos"),
    N_("{number} photos, counted again"),
    N_("{number} photos at once; at most {limit} are taken."),
    N_("No photo was sent: attach at least one as “{field}”."),
    N_("No file came with the request: send one in the part “{field}”."),
    N_("The file “{name}” is too large: at most {limit} MB are allowed."),
    N_("The file “{name}” is empty."),
    N_("There is no file {name}."),
    N_(
        "The file storage does not answer, and nothing of this upload was kept. "
        "Send it again in {seconds} seconds."
    ),
    N_("“{name}” is damaged or cut short. Copy or download it again, or send another one."),
    N_(
        "“{name}” is a HEIC photo, which is not supported. Save it as JPEG (on an iPhone: "
        "Settings, Camera, Formats, Most Compatible)."
    ),
    N_("“{name}” is not an image, or is damaged. Send a JPEG, PNG or WebP file."),
    N_("“{name}” is a {kind} image. Send one of these types: {wanted}."),
    N_("“{name}” holds a {kind} image. Give it a name that ends in {right}."),
    N_(
        "“{name}” has {width} by {height} pixels. At most {limit} megapixels are allowed: "
        "make it smaller."
    ),
    N_("“{name}” is an animation. Send a still image."),
    N_("“{name}” is built in an unusual way. Save it again as a JPEG."),
    N_("There is vegetation here, but no plant was detected."),
    N_("There may be plants here, but none was detected for sure."),
    N_("the count is not sure"),
    N_("This photo was not counted."),
    N_("Neither a container nor a plant was found on this photo."),
    N_("The photo is blurred: its sharpness is {measured} percent, at least {bound} is needed."),
    N_(
        "The photo is too dark: its bright parts reach {measured} percent of full light, "
        "not {bound}."
    ),
    N_("The photo is overexposed: {measured} percent of it is burnt out, at most {bound} may be."),
    N_("The plants are too small: about {measured} pixels wide, at least {bound} are needed."),
    N_(
        "The plants are too large: one takes {measured} percent of the photo, "
        "at most {bound} may be."
    ),
    N_("Corrections of {title}"),
    N_("{title}, counted again"),
    N_("This must be a number from {low} to {high}."),
    N_("This must be a whole number from {low} to {high}."),
    N_("There is no such setting. There are: {known}."),
    N_("{field} must be a number of pixels from {low} to {high}."),
    N_("{field} must be a number."),
    N_("{field} must be a whole number."),
    N_("{field} must be a text."),
    N_("The model knows no class {name}."),
    N_("Review of the count."),
    N_("This photo was counted again after people had corrected it. Look at their corrections."),
    N_("The corrections or the count have changed meanwhile."),
    N_("the breaker {gate} is open; the last error was: {error}"),
    N_("the breaker {gate} is being tried; the last error was: {error}"),
    N_("the breaker {gate} was isolated by hand: {reason}"),
    N_("the budget of {gate} for today is spent: {spent} of {budget} USD"),
    N_("calls in flight have reserved what is left of the budget of {gate}"),
    N_("all {calls} calls in flight that {gate} may have are taken"),
    N_("waiting in line for the pace {gate}, {ahead} before it"),
    N_("There is no such breaker."),
    N_("There is no location “{text}”."),
    N_("The location “{code}” is switched off: choose another, or switch it on again."),
    N_("The outline crosses itself or is broken: {reason}. Correct it there."),
    N_("This must be GeoJSON of the type {wanted}."),
    N_("The outline has more than {number} corners: simplify it."),
    N_("{where} is no place on earth: give [longitude, latitude] in degrees."),
    N_("This must have at most {number} characters."),
    N_("This must be a whole number of at least {number}."),
    N_("This must be one of: {words}."),
    N_("There is none with the code or number “{code}”: correct it or add it."),
    N_("There is no field called {name}. There are: {known}."),
    N_("The code “{code}” is taken: choose another."),
    N_("There is no kind “{name}”. There are: {known}."),
    N_("The file has more than {number} rows: split it."),
    N_("“{name}” is neither text in UTF-8 nor the CSV of a spreadsheet."),
    N_("The file is not readable as GeoJSON: {reason}."),
    N_("The file is not readable as CSV: {reason}."),
    N_("The column {name} is there twice."),
    N_("Line {line} has the same: keep one of the two."),
    N_("The endpoint answered 410: it is gone for good."),
    N_("The webhook did not listen."),
    N_("{endpoint} did not answer within {seconds} s."),
    N_("{endpoint} could not be reached: {reason}"),
    N_("{endpoint} answered {status}."),
    N_("The host {host} cannot be found."),
    N_("There is no filter called {name}. There are: {known}."),
    N_("There is no state {value}. There are: {known}."),
    N_("There is no action {value}. There are: {known}."),
    N_("At most {number} characters, and none of them NUL."),
    N_("At most {number} at once."),
    N_("Give {name} only once."),
    N_("The limit must lie between 1 and {number}."),
    N_("{value} is not a number of that kind."),
    N_("{value} is not a run's id."),
    N_("{value} is not a time like 2026-05-01T12:00 (UTC), nor an age like 2h."),
    N_("Batch {batch} holds {plants} plants; {more} cannot be taken from it."),
    N_("Batch {batch} holds {plants} plants already."),
    N_("The plants are at {location} already."),
    N_("{name} is not in use any more. Choose another."),
    N_("The quantity must lie between {least} and {most}."),
    N_("There is no location {value}."),
    N_("There is no product {value}."),
    N_("There is no product state {value}."),
    N_("There is no container type {value}."),
    N_("There is no type {value}. There are: {known}."),
    N_("{name} must lie between {least} and {most}."),
    N_("The days must be one of {known}."),
    N_("Attach a picture as “{field}”."),
    N_("The pictures of the ZIP take more than {limit} MB: split it."),
    N_("The ZIP holds no picture {name}: correct the name or add it."),
    N_("{name} is larger than {limit} MB: make it smaller."),
    N_("The ZIP holds more than {limit} files: split it."),
    N_("There is no category {name}."),
    N_("{name} has {count} characters; at most {most}."),
    N_("{name} must be an amount of dollars like 2.50, not {given}."),
    N_("{name} must be a text that is not empty."),
    N_("{name} may have at most {most} characters."),
    N_("A template has 1 to {most} characters, not {count}."),
    N_("{place} is not known; a template may hold {known}."),
    N_("At most {most} at once."),
    N_("More than {most} fit the filter: narrow it down."),
    N_("The CSV is too large: at most {most} MB are allowed."),
    N_("The CSV has more than {most} rows: split it."),
    N_("activo must be si or no, not {given}."),
    N_("id must be the number of an article, not {given}."),
    N_("There is no column {name}. There are: {known}."),
    N_("{name} must be true or false, not {given}."),
    N_("{name} is missing: send a file in that part of a form, or base64 in JSON."),
    N_("{name} must be base64 or a data URL."),
    N_("The picture could not be written as PNG."),
    N_("The picture could not be read with its 16 bits."),
    N_("{name} must be one of {known}, not {given}."),
    N_("{name} must be one of {known}."),
    N_("{name} must be a whole number from {low} to {high}, not {given}."),
    N_("{place} is a second {kind} anchor: leave one out."),
    N_("{name} must be a number from 0 to 1."),
    N_("There is no preset {name}. Send tier AUTO, or the name or id of a preset."),
    N_("A preset needs a {name}."),
    N_("{name} must be a text."),
    N_("{name} must be text."),
    N_("batch_config has {count} slots; at most {most}."),
    N_("The seed must be a whole number from 0 to {most}."),
    N_("max_previews must be a whole number from 1 to {most}."),
    N_("{name} must be the id of a preset."),
    N_("{name} must be the id of a stored picture."),
    N_("{name} must be the id of a variant."),
    N_("The answer is no picture that can be used: {why}"),
    N_("The new picture is too small: {width} × {height} pixels."),
    N_("The new picture is blank."),
    N_("The new picture cannot be fetched: {why}"),
    N_(
        "The new picture does not seem to show the same article "
        "(distance {distance}, at most {most})."
    ),
    N_("This takes {needed} tokens; the balance holds {have}."),
    N_("{name} must be a text of at most {most} characters."),
    N_("{name} must be a text of 1 to {most} characters."),
    N_("{name} must have at most {most} characters."),
    N_("{name} must say what the post is about."),
    N_("endpoint must be a post type like planessemanales, not {given}."),
    N_(
        "{count} pictures do not fit: from {name} on, {type} has {fields} fields. "
        "Ask for fewer, or for a gallery."
    ),
    N_("The field {name} holds one picture: nothing can join it."),
    N_("There is no site {name}."),
    N_("There is a site {name} already."),
    N_("{site} lets {user} in."),
    N_(
        "The credentials of {whose} were sealed with another key. Set {name} (or "
        "DARKROOM_SECRET_KEY) as it was, or enter them again."
    ),
    N_(
        "WordPress took the fields {fields} of {post} and ignored "
        "them. Check their names, and that their field group is shown in the REST API."
    ),
    N_("WordPress answered {status}: {said} Give the user the right to do that."),
    N_("WordPress answered {status}: {said} Check {setting}."),
    N_(
        "WordPress answered {status}: {said} It took us for nobody: check the user and password of "
        "the site (DARKROOM_WORDPRESS_USER, _PASSWORD and _APP_PASSWORD for that of the settings), "
        "and that its web server passes the Authorization header on."
    ),
    N_(
        "WordPress answered {status}: {said} See that the post is there, and give the user the "
        "right to edit it."
    ),
    N_("{name} answered with something unreadable."),
    N_("{name} was not done within {seconds} s."),
    N_("{name} took no connection within {seconds} s."),
    N_("{name} said nothing for {seconds} s."),
    N_("{name} cannot be reached: {reason}."),
    N_("A video may last {seconds} seconds and have {frames} frames: cut it shorter."),
    N_("scale must be a number from {low} to {high}, not {given}."),
    N_("There is no model {given}; there are: {names}."),
    N_("This has {now} megapixels already, and a result may have {most}: send a smaller one."),
    N_(
        "scale {scale} would make {pixels} megapixels, and a result may have {most}: at most "
        "{fitting} times fits."
    ),
    N_("{name} must be a number from {low} to {high}, not {given}."),
    N_("Send 1 to {most} in {name}, not {count}."),
    N_("{name} must have one a picture: there are {count}."),
    N_("All together must last at most {seconds} seconds."),
    N_("Scene {number} has neither picture nor clip: send image or video."),
    N_("The clip of scene {number} is damaged or cut short: send it again."),
    N_("There is no face in {name}: send a picture that shows one from the front."),
    N_(
        "There are {count} faces in {name}: say which one is meant, counted from the left "
        "({choice}, from 0 to {last})."
    ),
    N_("There is no face {number} in {name}: the last one, at the right, is {last}."),
    N_(
        "The face in {name} is too small: {width} pixels wide, at least {least} are needed. Send a "
        "larger picture, or one taken from nearer."
    ),
    N_("{name} must be the number of a face, counted from 0 at the left, not {given}."),
    N_("The sound may last {seconds} seconds: cut it shorter."),
    N_("LivePortrait's checkout lacks {name}, so the portrait stays still."),
    N_("writing the video"),
    N_("Cancelled."),
    N_("Only {have} tokens are there to be taken."),
    N_("The tokens must be a whole number from {low} to {high}, and not 0."),
    N_("Counted anew after a retry."),
    N_("Replaced by the count {session}."),
    N_("More plants have left the batch than were counted: {rest}."),
    N_("Cue {number} starts before the one before it, or before 0."),
    N_("Cue {number} ends before it starts: make it longer."),
    N_("Cue {number} is empty: write something, or remove it."),
    N_("Cue {number} must have start, end and lines."),
    N_(
        "The lines of cue {number} must be a list of 1 to {most} texts, each of at most {longest} "
        "characters."
    ),
    N_("There is no cue {number}; there are {count}."),
    N_("There are more than {number} cues: that is too many."),
    N_("This is between {low} and {high}."),
    N_("The position is one of: {known}."),
    N_("There is no font {name}. There are: {known}."),
    N_("{name} has no letters for: {letters}. Take another font."),
    N_("The language {name} is not known: give its code, like es or en."),
    N_("{field} must be a number of seconds."),
    N_("formats must be a list of: {known}."),
    N_("Seed"),
    N_("Germinating"),
    N_("Seedling"),
    N_("Juvenile"),
    N_("Adult"),
    N_("Flowering"),
    N_("Dormant"),
    N_("Dying"),
    N_("Plug"),
    N_("Box"),
    N_("Segment"),
)
"""What jobs and the engine say, as they say it."""

_PLACE = re.compile(r"\\{(\w+)\\}")


def say(text: str, values: Mapping[str, Any] | None = None) -> str:
    """A sentence of ours in the reader's language.

    Parameters
    ----------
    text
        The sentence, with {places} or with them filled in. One that is not known stays as it is.
    values
        What fills the places.
    """
    if not text:
        return ""
    if values:
        return _filled(gettext(text), values)
    translated = gettext(text)
    return translated if translated != text else _recognised(text)


def word(table: Mapping[str, str], key: str) -> str:
    """The reader's word for a key of one of the tables above; unknown keys speak for themselves."""
    return gettext(table[key]) if key in table else key.replace("_", " ").replace(".", " · ")


def _filled(template: str, values: Mapping[str, Any]) -> str:
    try:
        return template.format_map(values)
    except (KeyError, ValueError, IndexError, AttributeError):
        return template


def _recognised(text: str) -> str:
    for template, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return _filled(gettext(template), found.groupdict())
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (sentence, re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(sentence)), re.DOTALL))
        for sentence in sorted(SENTENCES, key=_weight, reverse=True)
        if "{" in sentence
    )


def _weight(template: str) -> int:
    """How much a template says itself: what fits several is the one that says most."""
    return len(re.sub(r"\{\w+\}", "", template))


def script_words() -> dict[str, str]:
    """The texts that the pages' scripts show, in the reader's language."""
    return {
        "tooLarge": gettext("is larger than {limit} MB"),
        "notAPhoto": gettext("is not a JPEG, PNG or WebP photo"),
        "empty": gettext("is empty"),
        "tooMany": gettext("At most {limit} photos at once."),
        "remove": gettext("Remove {name}"),
        "ready": gettext("ready"),
        "sending": gettext("sending"),
        "sent": gettext("sent"),
        "onePhoto": gettext("1 photo, {size}"),
        "somePhotos": gettext("{count} photos, {size}"),
        "leftOut": gettext("left out"),
        "countOne": gettext("Count 1 photo"),
        "countSome": gettext("Count {count} photos"),
        "connectionLost": gettext("The connection was lost before everything had arrived."),
        "checking": gettext("Received. Checking the photos…"),
        "copied": gettext("Copied"),
        "live": gettext("Live"),
        "polling": gettext("Updated every few seconds"),
        "offline": gettext("No connection. Trying again…"),
        "fullScreen": gettext("Full screen"),
        "leaveFullScreen": gettext("Leave full screen"),
        "paused": gettext("Waits while rows are selected"),
        "selected": gettext("{count} selected"),
        "reviewBusy": gettext("Your corrections are being applied."),
        "reviewOutside": gettext("A plant has to stand on the photo, in or beside a container."),
        "reviewTwice": gettext("This plant is marked already."),
        "reviewNothing": gettext("There is no marked plant here."),
        "reviewPicked": gettext("Now click where it belongs."),
        "reviewSize": gettext("Plants to add: {size} of those around"),
        "reviewContainer": gettext("Container {number}"),
        "reviewSending": gettext("Saving as soon as everything has arrived…"),
        "reviewSum": gettext("Not saved yet: {changes}"),
        "reviewAdded": gettext("{count} added"),
        "reviewRemoved": gettext("{count} removed"),
        "reviewMoved": gettext("{count} moved"),
        "reviewTotals": gettext("totals: {count}"),
        "reviewSave": gettext("Save and accept this photo"),
        "reviewAccept": gettext("Accept the count as it is"),
    }
