"""Schemathesis over the whole OpenAPI document, against the server as it is deployed: no 5xx, no undocumented answer.

Sets a deployment up by the operator's commands, starts it, and lets Schemathesis (https://schemathesis.io, written by
others) make requests from the document: as nobody, as an agent, as a resident, as a support user, and as somebody who
has proven who they are with a mailed code. The path of `sentri-server` is in SENTRI_SERVER.
"""

import json
import os
import pathlib
import queue
import re
import socket
import subprocess
import sys
import tempfile
import urllib.request
import uuid

from aiosmtpd.controller import Controller

PASSWORD, PIN = "Abcdef1", "2580"
# What can be said against an answer: any 5xx, and whatever the document does not say.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance," \
         "response_schema_conformance"
# These end what the others need; they are called by somebody of their own.
ENDING = ["/v1/logout", "/v1/me/delete"]
# For whoever has proven who they are.
PROVEN = ["/v1/identity/devices", "/v1/identity/devices/{id}", "/v1/identity/pin"]
EXAMPLES = os.environ.get("SENTRI_EXAMPLES", "40")


class Post:
    """A mail server that keeps the codes of those mails that bring one, by whom they are for."""

    def __init__(self):
        self.codes = queue.Queue()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server, _session, envelope):
        code = re.search(rb"^Subject: (\d{6}) ", envelope.content, re.MULTILINE)
        if code:
            self.codes.put((envelope.rcpt_tos, code.group(1).decode()))
        return "250 kept"

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.controller.stop()

    def code_for(self, email):
        while True:
            to, code = self.codes.get(timeout=60)
            if email in to:
                return code


class Deployment:
    """A folder with configuration and keys, and the server on it."""

    def __init__(self, folder, post):
        self.post = post
        self.binary = os.environ["SENTRI_SERVER"]
        self.config = pathlib.Path(folder) / "sentri.toml"
        self.config.write_text(
            f'bind = "127.0.0.1:0"\ndatabase = "sqlite://{folder}/sentri.db"\nmaster_key_file = "{folder}/master.key"\n'
            "[rate_limit]\nper_second = 0\nburst = 0\n"
            f'[smtp]\nhost = "127.0.0.1"\nport = {post.port}\nsecurity = "none"\n'
        )
        self.run("key create")
        self.run("association add --name Cascade --device-limit 50")
        self.person("agent add --association Cascade --sentrikey-id 123456789", "Dana", "dana@realty.example")
        self.run("community add --name Elm --management Brook --time-zone America/Chicago")
        self.person("resident add --community Elm --unit 4B", "Rae", "rae@home.example")
        self.person("support add --permission support", "Sam", "sam@support.example")
        self.run("lockbox provision --serial BLE-0001 --generation ble --owner 123456789 --time-zone America/Chicago")

    def run(self, line, text=""):
        command = [self.binary, "--json", "--config", self.config, *line.split()]
        return subprocess.run(command, input=text, text=True, check=True, capture_output=True).stdout

    def person(self, line, first_name, email):
        who = f" --first-name {first_name} --last-name Reyes --email {email} --phone 503-555-0101"
        self.run(line + who, f"{PASSWORD}\n{PIN}\n")

    def __enter__(self):
        command = [self.binary, "--config", self.config, "serve"]
        log = (self.config.parent / "log").open("w")
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.url = self.server.stdout.readline().split()[2].rstrip(".")
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def ask(self, path, body):
        headers = {"content-type": "application/json"}
        call = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(call) as answer:
            return json.loads(answer.read() or b"{}")

    def login(self, name):
        device = {"install_id": str(uuid.uuid4()), "name": "Schemathesis", "platform": "desktop"}
        return self.ask("/v1/login", {"login": name, "password": PASSWORD, "device": device})["tokens"]["access"]

    def prove(self, email):
        """For ten minutes, which is longer than a run takes."""
        identity = self.ask("/v1/identity", {"login": {"email": email}, "password": PASSWORD})["identity"]
        self.ask("/v1/identity/verify", {"identity": identity, "code": self.post.code_for(email)})
        return identity


def schemathesis(url, seed, token=None, only=None, without=()):
    """One run; its exit code."""
    tool = pathlib.Path(sys.executable).parent / "schemathesis"
    command = [tool, "run", url + "/v1/openapi.json", "--url", url, "--checks", CHECKS, "--seed", str(seed)]
    command += ["--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing", "--no-color", "--warnings", "off"]
    command += ["--continue-on-failure", "--suppress-health-check", "all", "--max-redirects", "0", "--no-shrink"]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    for path in only or ():
        command += ["--include-path", path]
    for path in without:
        command += ["--exclude-path", path]
    return subprocess.run(command, check=False).returncode


def main():
    with tempfile.TemporaryDirectory() as folder, Post() as post, Deployment(folder, post) as ours:
        agent, resident, support = (
            {"sentrikey_id": "123456789"}, {"email": "rae@home.example"}, {"email": "sam@support.example"}
        )
        runs = {
            "as nobody": lambda: schemathesis(ours.url, 1),
            "as an agent": lambda: schemathesis(ours.url, 2, ours.login(agent), without=ENDING),
            "as a resident": lambda: schemathesis(ours.url, 5, ours.login(resident), without=ENDING),
            "as a support user": lambda: schemathesis(ours.url, 3, ours.login(support), without=ENDING),
            "as somebody proven": lambda: schemathesis(ours.url, 6, ours.prove("rae@home.example"), only=PROVEN),
            "what ends a session": lambda: schemathesis(ours.url, 4, ours.login(agent), only=ENDING),
        }
        failed = []
        for name, run in runs.items():
            print(f"--- {name}", flush=True)
            if run() != 0:
                failed.append(name)
        if ours.server.poll() is not None:
            failed.append("the server ended by itself")
        print(f"schemathesis: {len(runs) - min(len(failed), len(runs))} passed, {len(failed)} failed")
        return "\n".join(failed)


if __name__ == "__main__":
    sys.exit(main() or 0)
