"""A client of an API that knows no more of CAE than azure-core does.

    azure_core.py API_URL TOKEN_ENDPOINT USER

Reads paths from standard input, requests each, and prints `STATUS TOKENS`: the status, and how many tokens the issuer
was asked for so far; `interaction` instead of the status where the issuer wants the user to sign in again. A line
`sign-in` signs the user in anew.
"""

import sys
import time

import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

CAPABLE = '"xms_cc":{"values":["cp1"]}'


class Credential:
    """Signs in once, then lives on the refresh token, as a credential of azure-identity does."""

    def __init__(self, endpoint, user):
        self.endpoint, self.user, self.asked, self.refresh_token = endpoint, user, 0, None
        self.sign_in()

    def sign_in(self):
        self.answer = self.ask({"grant_type": "password", "username": self.user}, None)
        self.refresh_token = self.answer["refresh_token"]

    def ask(self, form, claims):
        self.asked += 1
        # As MSAL does: the capability goes into every claims request.
        inner = claims.strip()[1:-1] if claims else ""
        if inner:
            request = inner.replace('"access_token":{', '"access_token":{' + CAPABLE + ",", 1)
        else:
            request = '"access_token":{' + CAPABLE + "}"
        form = dict(form, client_id="app", claims="{" + request + "}")
        reply = requests.post(self.endpoint, data=form, timeout=10)
        answer = reply.json()
        self.wants_interaction = reply.status_code != 200
        if self.wants_interaction:
            raise ClientAuthenticationError(answer["error"])
        return answer

    def get_token(self, *scopes, claims=None, **_):
        if claims or self.answer is None:
            form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
            self.answer = self.ask(form, claims)
        answer = self.answer
        return AccessToken(answer["access_token"], int(time.time()) + answer["expires_in"])


def main():
    api, endpoint, user = sys.argv[1:]
    credential = Credential(endpoint, user)

    def pipeline():
        policy = BearerTokenCredentialPolicy(credential, "scope", enable_cae=True)
        return Pipeline(transport=RequestsTransport(), policies=[policy])

    client = pipeline()
    for line in sys.stdin:
        path = line.strip()
        if path == "sign-in":
            credential.sign_in()
            client = pipeline()
            print("signed in", credential.asked, flush=True)
            continue
        try:
            request = HttpRequest("GET", api + path)
            reply = client.run(request, enforce_https=False).http_response
            # azure-core gives the 401 back where the credential has no token for its claims.
            lost = reply.status_code == 401 and credential.wants_interaction
            print("interaction" if lost else reply.status_code, credential.asked, flush=True)
        except ClientAuthenticationError:
            print("interaction", credential.asked, flush=True)


main()
