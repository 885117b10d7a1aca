"""The token endpoint over a real socket: which assertions earn a token."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from sandbox.netsuite import NetSuiteAccount, NetSuiteServer, make_key_pair
from tests.sandbox.netsuite.netsuite_asking import Clock
from tests.tls import TLS

RSA_PAIR = make_key_pair("PS256")
EC_PAIR = make_key_pair("ES256")
CLIENT, CERTIFICATE = "client-1", "certificate-1"


def _ec_pair(curve: ec.EllipticCurve) -> tuple[str, str]:
    key = ec.generate_private_key(curve)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class Desk:
    """A server, and a client that asks it for tokens."""

    def __init__(self, pair: tuple[str, str]) -> None:
        self.wall = Clock(datetime.now(UTC).replace(microsecond=0))
        self.private = pair[0]
        self.server = NetSuiteServer(
            NetSuiteAccount(Clock()),
            client_id=CLIENT,
            certificate_id=CERTIFICATE,
            public_key_pem=pair[1],
            wall_clock=self.wall,
        )

    def claims(self, **changes: object) -> dict[str, object]:
        now = int(self.wall.now.timestamp())
        claims = {
            "iss": CLIENT,
            "aud": self.server.token_url,
            "scope": ["restlets", "rest_webservices"],
            "iat": now,
            "exp": now + 300,
        }
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def sign(self, claims: Mapping[str, object], algorithm: str, kid: str = CERTIFICATE) -> str:
        key = ECKey.import_key(self.private) if algorithm.startswith("ES") else RSAKey.import_key(self.private)
        return jwt.encode({"alg": algorithm, "kid": kid}, dict(claims), key, algorithms=[algorithm])

    def ask(self, assertion: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
            **changes,
        }
        return httpx.post(self.server.token_url, data=form, verify=TLS)

    def query(self, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Prefer": "transient"}
        url = self.server.url + "/services/rest/query/v1/suiteql"
        return httpx.post(url, json={"q": "SELECT 1 AS one FROM dual"}, headers=headers, verify=TLS)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk(RSA_PAIR)
    with desk.server:
        yield desk


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_rsa_assertions_earn_a_token_that_opens_the_door(desk: Desk, algorithm: str) -> None:
    reply = desk.ask(desk.sign(desk.claims(), algorithm))
    assert reply.status_code == 200
    body = reply.json()
    assert (body["expires_in"], body["token_type"]) == ("3600", "bearer")
    assert desk.query(body["access_token"]).json()["items"] == [{"links": [], "one": "1"}]


@pytest.mark.parametrize(
    ("algorithm", "curve"), [("ES256", ec.SECP256R1()), ("ES384", ec.SECP384R1()), ("ES512", ec.SECP521R1())]
)
def test_elliptic_assertions_earn_a_token(algorithm: str, curve: ec.EllipticCurve) -> None:
    desk = Desk(EC_PAIR if algorithm == "ES256" else _ec_pair(curve))
    with desk.server:
        assert desk.ask(desk.sign(desk.claims(), algorithm)).status_code == 200


def test_another_curve_is_not_a_certificate() -> None:
    with pytest.raises(ValueError, match="P-256"):
        Desk(_ec_pair(ec.SECP256K1()))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "someone"}, "iss is 'someone'"),
        ({"iss": None}, "iss is None"),
        ({"aud": "https://example.com/token"}, "aud is"),
        ({"scope": ["restlets"]}, "scope is"),
        ({"scope": None}, "scope is"),
        ({"iat": None}, "iat and exp"),
        ({"exp": None}, "iat and exp"),
    ],
)
def test_claims_must_be_as_agreed(desk: Desk, changes: Mapping[str, object], reason: str) -> None:
    reply = desk.ask(desk.sign(desk.claims(**changes), "PS256"))
    assert (reply.status_code, reply.json()) == (400, {"error": "invalid_grant"})
    assert reason in desk.server.token_refusals[-1]


@pytest.mark.parametrize(
    ("issued", "expires", "granted"),
    [
        (0, 3600, True),
        (0, 3601, False),
        (-300, 0, False),
        (-300, 1, True),
        (60, 300, True),
        (61, 300, False),
    ],
)
def test_an_assertion_lives_an_hour_at_most(desk: Desk, issued: int, expires: int, granted: bool) -> None:
    now = int(desk.wall.now.timestamp())
    reply = desk.ask(desk.sign(desk.claims(iat=now + issued, exp=now + expires), "PS256"))
    assert (reply.status_code == 200) is granted


def test_the_audience_is_the_token_url_to_the_letter(desk: Desk) -> None:
    for audience in (desk.server.token_url + "/", desk.server.url, [desk.server.token_url]):
        assert desk.ask(desk.sign(desk.claims(aud=audience), "PS256")).status_code == 400


def test_signatures_of_others_are_refused(desk: Desk) -> None:
    stranger = Desk(make_key_pair("PS256"))
    foreign = RSAKey.import_key(stranger.private)
    header = {"alg": "PS256", "kid": CERTIFICATE}
    shared = OctKey.import_key("a secret that is long enough to sign with")
    assertions = [
        desk.sign(desk.claims(), "RS256"),
        desk.sign(desk.claims(), "PS256", kid="certificate-2"),
        jwt.encode(header, desk.claims(), foreign, algorithms=["PS256"]),
        jwt.encode({**header, "alg": "HS256"}, desk.claims(), shared, algorithms=["HS256"]),
        "eyJhbGciOiJub25lIn0.e30.",
        "not a token",
    ]
    for assertion in assertions:
        reply = desk.ask(assertion)
        assert (reply.status_code, reply.json()) == (400, {"error": "invalid_grant"})
    assert "signed by the certificate" in desk.server.token_refusals[0]
    assert "kid" in desk.server.token_refusals[1]
    assert desk.server.requests["token"] == len(assertions)


def test_the_form_must_be_the_documented_one(desk: Desk) -> None:
    assertion = desk.sign(desk.claims(), "PS256")
    assert desk.ask(assertion, grant_type="password").json() == {"error": "unsupported_grant_type"}
    assert desk.ask(assertion, client_assertion_type="jwt").json() == {"error": "invalid_request"}
    assert httpx.post(desk.server.token_url, verify=TLS).status_code == 400


def test_a_token_ends_with_its_hour_or_when_it_is_revoked(desk: Desk) -> None:
    token = desk.ask(desk.sign(desk.claims(), "PS256")).json()["access_token"]
    desk.wall.now += timedelta(seconds=3599)
    assert desk.query(token).status_code == 200
    desk.wall.now += timedelta(seconds=1)
    assert desk.query(token).status_code == 401

    token = desk.ask(desk.sign(desk.claims(), "PS256")).json()["access_token"]
    desk.server.revoke_tokens()
    assert desk.query(token).status_code == 401
    assert desk.query("made-up").status_code == 401
