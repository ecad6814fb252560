"""The simulated operations by the contract's operation id; what is listed in the contract but not here is 404."""

from collections.abc import Callable

from electis_cli.simulator.call import Call, Reply
from electis_cli.simulator.operations import (
    article_format,
    articles_read,
    articles_write,
    authentication,
    gateways,
    history,
    labels_link,
    labels_read,
    leds,
    pages,
    service,
    stores,
    whitelist,
)

Handler = Callable[[Call], Reply]

HANDLERS: dict[str, Handler] = {
    **article_format.HANDLERS,
    **articles_read.HANDLERS,
    **articles_write.HANDLERS,
    **authentication.HANDLERS,
    **gateways.HANDLERS,
    **history.HANDLERS,
    **labels_link.HANDLERS,
    **labels_read.HANDLERS,
    **leds.HANDLERS,
    **pages.HANDLERS,
    **service.HANDLERS,
    **stores.HANDLERS,
    **whitelist.HANDLERS,
}
