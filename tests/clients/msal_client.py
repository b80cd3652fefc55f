"""A workload that signs in with MSAL and hands claims challenges to it, as MSAL's documentation asks.

    msal_client.py API_URL ISSUER CAE_BINARY

Reads paths from standard input and prints `STATUS CHALLENGES` for each: the status, after at most one claims challenge, and
how many there were so far.
"""

import json
import subprocess
import sys

import msal
import requests


class Loopback(requests.Session):
    """MSAL insists on https and on a path. The issuer is on this machine, where nobody ends TLS and nobody needs a path."""

    def request(self, method, url, **options):
        reply = super().request(method, url.replace("https://", "http://", 1).replace("/dev/", "/", 1), **options)
        reply._content = reply.content.replace(b"http://", b"https://")
        return reply


def main():
    api, issuer, cae = sys.argv[1:]
    application = msal.ConfidentialClientApplication(
        "nightly",
        client_credential="any",
        oidc_authority=issuer.replace("http://", "https://", 1) + "/dev",
        http_client=Loopback(),
        client_capabilities=["cp1"],
    )

    def token(claims=None):
        answer = application.acquire_token_for_client(["api://orders/.default"], claims_challenge=claims)
        if "access_token" not in answer:
            return None
        return answer["access_token"]

    def request(path, bearer):
        return requests.get(api + path, headers={"Authorization": "Bearer " + bearer}, timeout=10)

    challenges = 0
    for line in sys.stdin:
        path = line.strip()
        reply = request(path, token())
        if reply.status_code == 401 and "insufficient_claims" in reply.headers.get("WWW-Authenticate", ""):
            challenges += 1
            header = reply.headers["WWW-Authenticate"]
            parsed = subprocess.run(
                [cae, "--engine", "native", "--json", "challenge", "parse", header], capture_output=True, text=True, check=True
            )
            bearer = token(json.loads(parsed.stdout)["claims"])
            if bearer is None:
                print("interaction", challenges, flush=True)
                continue
            reply = request(path, bearer)
        print(reply.status_code, challenges, flush=True)


main()
