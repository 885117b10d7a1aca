"""API keys: a secret key may do everything, a restricted one reads only some kinds of objects."""

import base64
import binascii

from sandbox.stripe.errors import Refusal

_CHALLENGE = {"www-authenticate": 'Basic realm="Stripe"'}


class ApiKeys:
    """The one key that the account has. `forbid` takes a right from it, `revoke` all."""

    def __init__(self, key: str) -> None:
        self._key: str | None = key
        self._forbidden: set[str] = set()

    def forbid(self, name: str) -> None:
        """The key may no longer read objects of this kind."""
        self._forbidden.add(name)

    def allow(self, name: str) -> None:
        self._forbidden.discard(name)

    def revoke(self) -> None:
        self._key = None

    def check(self, authorization: str) -> None:
        """Raises Refusal, 401, unless the header carries the key, as a Bearer token or as a Basic user name."""
        given = _given(authorization)
        if not given:
            raise Refusal(
                401,
                "You did not provide an API key. You need to provide your API key in the Authorization header, "
                "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
                headers=_CHALLENGE,
            )
        if given != self._key:
            shown = f"{given[:8]}{'*' * max(0, len(given) - 12)}{given[-4:]}"
            raise Refusal(401, f"Invalid API Key provided: {shown}", headers=_CHALLENGE)

    def permit(self, name: str) -> None:
        """Raises Refusal, 403, for a kind that the key may not read."""
        if name in self._forbidden:
            raise Refusal(
                403,
                f"The provided key does not have the required permissions for this endpoint ({name}).",
                code="more_permissions_required",
            )


def _given(authorization: str) -> str:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
