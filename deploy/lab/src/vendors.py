"""PagerDuty and Jira at one address of the lab: what the vendors would refuse is refused, and every message is kept as a line of JSON.

usage: vendors.py ADDRESS:PORT RECEIVED.jsonl SECRETS
"""

import datetime
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "observability"))

from testing import vendors  # noqa: E402


class Vendors(vendors.Vendor):
    """What tells (pages, tickets and what becomes of them) is kept; questions are only answered."""

    def __init__(self, address, port, received):
        self.pagerduty, self.jira = object.__new__(vendors.PagerDuty), object.__new__(vendors.Jira)
        self.pagerduty.events, self.jira.issues, self.jira.url = [], {}, f"http://{address}:{port}"
        self.received = received
        self.remember()
        super().__init__(address, port)

    def answer(self, method, path, headers, raw):
        if (method, path) == ("GET", "/"):
            return 200, {"received": str(self.received)}
        kind = "page" if path.startswith("/v2/") else "ticket"
        status, answer = (self.pagerduty if kind == "page" else self.jira).answer(method, path, headers, raw)
        if not (method == "GET" or path.endswith("/search/jql")) or status >= 400:
            self.keep(kind, method, path, raw, status, answer)
        return status, answer

    def keep(self, kind, method, path, raw, status, answer):
        body = self.read({"content-type": "application/json"}, raw)
        line = {
            "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "kind": kind,
            "accepted": status < 400,
            "method": method,
            "path": path,
            "body": raw.decode(errors="replace") if body is None else body,
            "status": status,
            "answer": answer,
        }
        # The key is nobody's business who reads what was told.
        if isinstance(body, dict) and "routing_key" in body:
            line["body"] = body | {"routing_key": "…"}
        with open(self.received, "a") as file:
            file.write(json.dumps(line) + "\n")

    def remember(self):
        """Issues stay issues when this program is started anew."""
        self.received.parent.mkdir(parents=True, exist_ok=True)
        lines = self.received.read_text().splitlines() if self.received.exists() else []
        for line in map(json.loads, filter(None, lines)):
            if line["kind"] != "ticket" or not line["accepted"]:
                continue
            body = line["body"]
            if line["path"] == "/rest/api/2/issue":
                self.jira.issues[line["answer"]["key"]] = {"fields": body["fields"], "body": body, "done": False}
            elif line["path"].endswith("/transitions"):
                self.jira.issues[line["path"].split("/")[-2]]["done"] = body["transition"]["id"] == "5"
            else:
                self.jira.issues[line["path"].split("/")[-1]]["fields"] |= body["fields"]


def main():
    where, received, secrets = sys.argv[1:]
    address, port = where.rsplit(":", 1)
    secret = lambda name: (pathlib.Path(secrets) / name).read_text().strip()
    vendors.ROUTING_KEY, vendors.JIRA_USER, vendors.JIRA_TOKEN = secret("pagerduty-routing-key"), secret("jira-user"), secret("jira-token")
    Vendors(address, int(port), pathlib.Path(received)).thread.join()


main()
