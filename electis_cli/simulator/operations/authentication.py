"""Login and token refresh (contract 2)."""

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.clock import zulu
from electis_cli.simulator.devices import Json
from electis_cli.simulator.tokens import issue, redeem


def post_token(call: Call) -> Reply:
    """Log in; without configured users every non-empty name and password is accepted."""
    name, password = call.body.get("username"), call.body.get("password")
    if not name or not password or not _accepted(call, name, password):
        call.world.counters.login_failures += 1
        raise Refused(401, "Unauthorized")
    call.world.counters.logins += 1
    return _pair(call, name)


def post_refresh(call: Call) -> Reply:
    """v2 refresh: a new pair; the refresh token sent serves no second time unless set so."""
    rotate = call.settings.refresh_rotates
    user = redeem(call.world, call.body.get("refreshToken"), call.now, rotate=rotate)
    call.world.counters.refreshes += 1
    return _pair(call, user)


def post_refresh_v3(call: Call) -> Reply:
    """v3 refresh: the pair nested under `tokens`; `rotateToken=NO` keeps the refresh token."""
    sent = call.body.get("refresh_token")
    rotate = call.text("rotateToken").upper() not in ("NO", "FALSE")
    user = redeem(call.world, sent, call.now, rotate=rotate)
    call.world.counters.refreshes += 1
    access, refresh = issue(call.world, call.settings, user, call.now)
    if not rotate:
        del call.world.refresh_tokens[refresh]
        refresh = sent
    seconds = call.settings.token_seconds
    expires = call.now + seconds
    answer = {
        "success": True,
        "message": "Token refreshed",
        "tokens": {
            "access_token": access,
            "id_token": access,
            "token_type": "Bearer",
            "not_before": int(call.now),
            "expires_in": seconds,
            "expires_on": int(expires),
            "id_token_expires_in": seconds,
            "refresh_token": refresh,
            "refresh_token_expires_in": call.settings.refresh_seconds,
        },
        "accessTokenExpiration": {
            "expiresAt": zulu(expires),
            "timeRemaining": seconds,
            "isExpired": False,
            "expiresInSeconds": seconds,
        },
        "refreshTokenRotated": rotate,
    }
    return _inside(answer)


def _accepted(call: Call, name: str, password: str) -> bool:
    if not call.world.users:
        return True
    user = call.world.users.get(name)
    return user is not None and user.password == password


def _pair(call: Call, user: str) -> Reply:
    access, refresh = issue(call.world, call.settings, user, call.now)
    return _inside(
        {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": call.settings.token_seconds,
            "refresh_token": refresh,
        }
    )


def _inside(answer: dict[str, Json]) -> Reply:
    # The token endpoints carry their payload as the message (contract 3).
    return Reply({"responseCode": "200", "responseMessage": answer}, bare=True)


HANDLERS = {
    "postToken": post_token,
    "postTokenRefresh": post_refresh,
    "postCompanyAuthTokenRefreshV3": post_refresh_v3,
}
