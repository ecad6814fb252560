"""The article format of a company (contract 5.3)."""

from electis_cli.simulator.call import Call, Refused, Reply


def get_format(call: Call) -> Reply:
    """The format without an envelope, 204 when none is configured."""
    return Reply(call.company.format, bare=True)


def post_format(call: Call) -> Reply:
    """Replace the format of all stores; it needs its columns and a mapped id."""
    mapping, columns = call.body.get("mappingInfo"), call.body.get("articleData")
    if not mapping or not columns:
        raise Refused(405, "FIELD_IS_MISSING")
    if mapping.get("articleId") not in columns:
        raise Refused(405, "ARTICLE_FORMAT_IS_INVALID")
    call.company.format = call.body
    return Reply({})


HANDLERS = {"getArticlesUploadFormat": get_format, "postArticlesUploadFormat": post_format}
