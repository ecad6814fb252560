"""The simulated operations by the contract's operation id; the rest is answered by `remainder`."""

from collections.abc import Callable

from electis_cli.simulator.call import Call, Reply
from electis_cli.simulator.operations import (
    article_format,
    articles_read,
    articles_search,
    articles_write,
    authentication,
    gateways,
    gateways_write,
    history,
    images,
    labels_history,
    labels_link,
    labels_read,
    labels_update,
    leds,
    pages,
    service,
    stores,
    stores_write,
    whitelist,
)

Handler = Callable[[Call], Reply]

HANDLERS: dict[str, Handler] = {
    **article_format.HANDLERS,
    **articles_read.HANDLERS,
    **articles_search.HANDLERS,
    **articles_write.HANDLERS,
    **authentication.HANDLERS,
    **gateways.HANDLERS,
    **gateways_write.HANDLERS,
    **history.HANDLERS,
    **images.HANDLERS,
    **labels_history.HANDLERS,
    **labels_link.HANDLERS,
    **labels_read.HANDLERS,
    **labels_update.HANDLERS,
    **leds.HANDLERS,
    **pages.HANDLERS,
    **service.HANDLERS,
    **stores.HANDLERS,
    **stores_write.HANDLERS,
    **whitelist.HANDLERS,
}
