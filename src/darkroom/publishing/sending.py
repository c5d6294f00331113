"""Bringing pictures to the media library and to the bucket: each once, whatever happens between."""

from darkroom.gated import files
from darkroom.providers import gcs, wordpress
from darkroom.providers.calls import calling_provider
from darkroom.providers.pictures import Picture
from darkroom.providers.wordpress import Media
from darkroom.publishing import generating, sites
from darkroom.publishing.orders import Delivery, Parcel
from darkroom.publishing.requesting import file_stem
from darkroom.queue.task import Task
from darkroom.storage import images

LONGEST_ALT = 125


def upload(task: Task, delivery: Delivery, parcel: Parcel) -> Media:
    """Have a picture in the site's media library, as the post's.

    Its name holds its content's hash and is looked up first: what an earlier try has left there is
    taken.
    """
    picture = generating.picture_of(task, parcel.asset_id)
    site = delivery.site
    with calling_provider(task, site.provider, "upload"):
        library = task.resource(sites.doors).of(site)
        return library.upload(picture, name(delivery, parcel, picture), _about(delivery))


def copy(task: Task, delivery: Delivery, parcel: Parcel) -> str:
    """Have a picture in the bucket; answers its address there. One that is there is not sent."""
    bucket = task.resource(gcs.connect)
    filename = name(delivery, parcel, generating.picture_of(task, parcel.asset_id))
    place = f"{file_stem(delivery.site.name)}/{delivery.endpoint}/{delivery.wp_post_id}"
    key = f"{place}/{filename}"
    with files.original(task, parcel.asset_id) as path, calling_provider(task, "gcs", "put"):
        return bucket.url(key) if bucket.exists(key) else bucket.put(key, path, images.JPEG)


def name(delivery: Delivery, parcel: Parcel, picture: Picture) -> str:
    """What a picture's file is called everywhere: the same for the same picture only."""
    stem = file_stem(delivery.client_run_id)
    return wordpress.file_name(f"{delivery.wp_post_id} {stem} {parcel.index}", picture)


def _about(delivery: Delivery) -> dict[str, str]:
    said = " ".join(delivery.prompt.split())[:LONGEST_ALT]
    return {"alt_text": said, "title": said, "post": str(delivery.wp_post_id)}
