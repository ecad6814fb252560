"""Images sent to a label in place of its template (contract 5.6), and the preview of their dithering (Q12)."""

import base64
import binascii

from electis_cli.simulator import display, stock
from electis_cli.simulator.call import BAD_BODY, Call, Refused, Reply, mint_uuid
from electis_cli.simulator.devices import Json
from electis_cli.simulator.model import Batch
from electis_cli.simulator.operations.labels_link import known_label

KINDS = {b"\x89PNG\r\n": "png", b"\xff\xd8\xff": "jpeg", b"BM": "bmp", b"GIF8": "gif"}


def post_image(call: Call) -> Reply:
    """Put an image on one page; later article updates of the label are skipped from then on."""
    label = known_label(call, call.body.get("labelCode"))
    page, image = call.body.get("page"), call.body.get("image")
    front = call.body.get("frontPage") or page
    if page is None or not image:
        raise Refused(405, "FIELD_IS_MISSING")
    if kind_of(image) is None:
        raise Refused(405, "IMAGE_IS_INVALID")
    if not (1 <= page <= label.max_pages and 1 <= front <= label.max_pages):
        raise Refused(405, f"PAGE_CAN_NOT_BE_GREATER_THAN_MAX_PAGES({label.max_pages})")
    batch = Batch(mint_uuid(call.world), "IMAGEPUSH", call.store.code, call.now, 1, 1, 0)
    stock.keep_batch(call.company, batch)
    label.images = label.images | {str(page): image}
    label.pages, label.page = max(label.pages, page, front), front
    picture = display.content(call.company, call.store, label)
    seconds = call.settings.update_seconds
    display.begin(call.company, label, picture, call.now, seconds, batch.id, kind="IMAGEPUSH")
    batch.rows.append(display.row(label, label.articles[0] if label.articles else ""))
    return Reply({"customBatchId": batch.id} if call.text("cbId") == "yes" else {})


def put_preview(call: Call) -> Reply:
    """The image as the label would show it, in the place the settings say (Q12)."""
    image = call.body.get("image")
    if not image or kind_of(image) is None:
        raise Refused(405, BAD_BODY)
    if call.settings.dither_answer == "message":
        return Reply({}, image)
    return Reply({"image": image} if call.settings.dither_answer == "object" else {})


def kind_of(image: Json) -> str | None:
    """png, jpeg, bmp or gif, None for anything else."""
    try:
        content = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None
    return next((kind for start, kind in KINDS.items() if content.startswith(start)), None)


HANDLERS = {"postLabelsImage": post_image, "putLabelsImageDitherPreview": put_preview}
