from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.capture.network.auth import authorization


def answer(*challenges: str, user: str = "Mufasa", password: str = "Circle Of Life") -> str | None:
    return authorization(challenges, user=user, password=password, target="/dir/index.html")


def test_basic_is_the_example_of_its_rfc() -> None:
    assert (
        authorization(['Basic realm="WallyWorld"'], user="Aladdin", password="open sesame", target="/")
        == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    )


def test_digest_without_a_quality_is_the_sum_of_rfc_2069() -> None:
    proof = answer('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc"')
    assert proof is not None
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in proof
    assert 'opaque="5ccc"' in proof


@pytest.mark.parametrize(("algorithm", "digits"), [("MD5", 32), ("SHA-256", 64), ("sha-256", 64)])
def test_digest_takes_the_algorithm_that_is_asked_for(algorithm: str, digits: int) -> None:
    proof = answer(f'Digest realm="r", nonce="n", qop="auth,auth-int", algorithm={algorithm}')
    assert proof is not None
    assert re.search(rf'response="[0-9a-f]{{{digits}}}"', proof)
    assert "qop=auth," in proof or proof.endswith("qop=auth") or "qop=auth, nc=00000001" in proof


def test_digest_is_preferred_because_it_does_not_tell_the_password() -> None:
    proof = answer('Basic realm="x"', 'Digest realm="r", nonce="n"')
    assert proof is not None
    assert proof.startswith("Digest ")
    assert "Circle" not in proof


def test_where_digest_wants_what_we_cannot_basic_does() -> None:
    proof = answer('Digest realm="r", nonce="n", algorithm=SHA-512-256', 'Basic realm="x"')
    assert proof is not None
    assert proof.startswith("Basic ")


@pytest.mark.parametrize("challenges", [(), ("Negotiate",), ('Digest nonce="n", qop="auth-int"',), ("",)])
def test_what_is_not_known_gets_no_answer(challenges: tuple[str, ...]) -> None:
    assert answer(*challenges) is None


@given(st.text(max_size=60), st.text(st.characters(codec="utf-8"), max_size=10))
def test_no_challenge_breaks_the_header(challenge: str, user: str) -> None:
    proof = answer(f"Digest {challenge}", user=user)
    assert proof is None or ("\n" not in proof and "\r" not in proof)
