"""Page flips (contract 5.6): absolute, bounded by the pages loaded on the label."""

from electis_cli.simulator import display
from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.devices import Json, Label
from electis_cli.simulator.operations.labels_link import each, known_label


def post_page(call: Call) -> Reply:
    """Show another page on linked labels."""
    flips, refused = each(call, call.items("pageChangeList"), lambda entry: _checked(call, entry))
    for label, page in flips:
        display.flip(label, page, call.now, call.settings.update_seconds)
    return Reply({}) if refused is None else Reply({}, refused.message, refused.status)


def _checked(call: Call, entry: Json) -> tuple[Label, int]:
    label, page = known_label(call, entry.get("labelCode")), entry.get("page")
    if page is None:
        raise Refused(405, "FIELD_IS_MISSING")
    if not label.articles:
        raise Refused(405, "ARTICLE_NOT_LINKED_TO_LABEL")
    if page > label.pages:
        raise Refused(405, f"PAGE_CAN_NOT_BE_GREATER_THAN_MAX_PAGES({label.pages})")
    return label, page


HANDLERS = {"postLabelsPage": post_page}
