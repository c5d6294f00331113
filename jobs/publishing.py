"""Publishing pictures to WordPress.

    begin ──▶ generate (one a picture) ──▶ send ──▶ upload (one a picture) ──▶ copy ──▶ attach
                                                                    (where there is a bucket)
    write ──▶ fill                                                   (a post: a run of its own)

Whoever asked has the pictures as soon as they are generated. Every step looks at what was done
before, on the site and in the picture's row, so that none is done twice. A run that failed may be
retried after another has taken its publication over: its steps then end without effect.
"""

from uuid import UUID

from darkroom.errors import Permanent
from darkroom.gated.pictures import Wanting
from darkroom.publishing import activities, attaching, generating, orders, sending, sites
from darkroom.publishing.models import Publication
from darkroom.publishing.orders import Delivery
from darkroom.queue.step import Retry, Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.storage import assets

OFTEN = Retry(attempts=6)


@step(lane="io")
def begin(task: Task, publication_id: str) -> Save:
    """Have the pictures made that are not at their end yet."""
    id = UUID(publication_id)

    def save(tx: Transaction) -> None:
        wanted = orders.open_pictures(tx.session, id)
        share = 0.5 / max(1, len(wanted))
        calls = [
            generate.call(label=str(each.index), share=share, picture_id=str(each.id))
            for each in wanted
        ]
        if calls:
            tx.fan_out(calls, send.call(share=0.02, publication_id=publication_id))

    return _while_led(id, save)


@step(lane="io")
def generate(task: Task, picture_id: str) -> Save | None:
    """Have one picture made, unless it was, and keep it as a JPEG."""
    order = orders.order(task.database, UUID(picture_id), task.run_id)
    if order is None:
        return None
    task.progress(0.1, "waiting for picture {number}", number=order.index)
    bought = generating.made(task, order)
    try:
        stored = generating.stored(task, order, bought)
    except Wanting:
        orders.reject(task.database, task.lease, order)
        raise

    def save(tx: Transaction) -> None:
        asset = assets.record(tx.session, order.owner_id, stored, order.source_asset_id)
        orders.generated(tx.session, order, asset, bought)

    return _while_led(order.publication_id, save)


@step(lane="io")
def send(task: Task, publication_id: str) -> Save:
    """Have the pictures brought to the site that were made."""
    id = UUID(publication_id)

    def save(tx: Transaction) -> None:
        found = orders.open_pictures(tx.session, id)
        made = [each for each in found if each.asset_id is not None]
        share = 0.3 / max(1, len(made))
        calls = [
            upload.call(
                label=str(each.index),
                share=share,
                publication_id=publication_id,
                picture_id=str(each.id),
            )
            for each in made
        ]
        if calls:
            site_id = tx.session.get_one(Publication, id).site_id
            then = copy if sites.is_copied(task.settings, site_id) else attach
            tx.fan_out(calls, then.call(share=0.08, publication_id=publication_id))

    return _while_led(id, save)


@step(lane="io", retry=OFTEN)
def upload(task: Task, publication_id: str, picture_id: str) -> Save | None:
    """Bring one picture to the media library, unless it is there: one may be deleted there."""
    delivery = _delivery(task, publication_id)
    if delivery is None:
        return None
    parcel = next(each for each in delivery.parcels if each.picture_id == UUID(picture_id))
    orders.mark_uploading(task.database, task.lease, [parcel.picture_id])
    host = delivery.site.host
    task.progress(0.1, "uploading picture {number} to {site}", number=parcel.index, site=host)
    media = sending.upload(task, delivery, parcel)

    def save(tx: Transaction) -> None:
        orders.uploaded(tx.session, parcel.picture_id, media)

    return _while_led(delivery.publication_id, save)


@step(lane="io", retry=OFTEN)
def copy(task: Task, publication_id: str) -> Save | None:
    """Copy the uploaded pictures to the bucket."""
    delivery = _delivery(task, publication_id)
    if delivery is None:
        return None
    task.progress(0.1, "copying to the bucket")
    urls = {
        parcel.picture_id: sending.copy(task, delivery, parcel)
        for parcel in delivery.parcels
        if parcel.media_id is not None and parcel.copy_url is None
    }

    def save(tx: Transaction) -> None:
        orders.copied(tx.session, urls)
        tx.enqueue(attach.call(share=0.08, publication_id=publication_id))

    return _while_led(delivery.publication_id, save)


@step(lane="io", retry=OFTEN)
def attach(task: Task, publication_id: str) -> Save | None:
    """Write the pictures into the post's fields, and see that they hold them."""
    attaching.insist_on_turn(task, UUID(publication_id))
    delivery = _delivery(task, publication_id)
    if delivery is None:
        return None
    sent = [each for each in delivery.parcels if each.media_id is not None]
    orders.mark_uploading(task.database, task.lease, [each.picture_id for each in sent])
    task.progress(0.1, "writing the fields of the post")
    with attaching.alone(task, delivery):
        done = attaching.attach(task, delivery)
        orders.mark_completed(
            task.database, task.lease, delivery.publication_id, done.ids, done.post_url
        )
    if done.errors:
        said = " ".join(done.errors)
        raise Permanent(said)

    def save(tx: Transaction) -> None:
        media = {each.field: each.media_id for each in sent}
        tx.result_of_run(wp_post_id=delivery.wp_post_id, media=media, post_url=done.post_url)

    return save


@step(lane="io", retry=OFTEN)
def write(task: Task, activity_id: str) -> Save:
    """Write a post, unless it was written."""
    draft = activities.load(task.database, task.settings, UUID(activity_id))
    task.progress(0.1, "writing the post {title}", title=draft.title)
    post_id, url = activities.write(task, draft)

    def save(tx: Transaction) -> None:
        activities.written(tx.session, draft.activity_id, post_id, url)
        tx.enqueue(fill.call(share=0.5, activity_id=activity_id))

    return save


@step(lane="io", retry=OFTEN)
def fill(task: Task, activity_id: str) -> Save:
    """Fill the post's fields, and see that they hold what was sent."""
    draft = activities.load(task.database, task.settings, UUID(activity_id))
    task.progress(0.1, "writing the fields of the post")
    url = activities.fill(task, draft)

    def save(tx: Transaction) -> None:
        tx.result_of_run(wp_post_id=draft.wp_post_id, post_url=url)

    return save


def _delivery(task: Task, publication_id: str) -> Delivery | None:
    return orders.delivery(task.database, task.settings, UUID(publication_id), task.run_id)


def _while_led(publication_id: UUID, save: Save) -> Save:
    """Keeps nothing once another run has taken the publication over."""

    def guarded(tx: Transaction) -> None:
        if orders.is_led_by(tx.session, publication_id, tx.run_id):
            save(tx)

    return guarded
