"""PagerDuty and Jira as their documentation describes them, in small: what they would refuse is refused here.

PagerDuty: https://developer.pagerduty.com/docs/send-alert-event, Events API v2.
Jira Cloud: https://developer.atlassian.com/cloud/jira/platform/rest/v2/, issues, transitions; v3 for `search/jql`.
"""

import base64
import http.server
import json
import re
import threading

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
JIRA_USER, JIRA_TOKEN = "alerts@example.com", "a-token-of-jira"
TRANSITIONS = [{"id": "5", "name": "Resolve this issue"}, {"id": "11", "name": "Back to in progress"}]


def wrong_event(event):
    """What PagerDuty would find wrong with an event; nothing if it takes it."""
    if not isinstance(event, dict):
        return "not an object"
    text = lambda value, most: isinstance(value, str) and 0 < len(value) <= most
    known = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
    if set(event) - known:
        return f"unknown: {set(event) - known}"
    if event.get("routing_key") != ROUTING_KEY:
        return "routing_key: not the 32 characters of the integration"
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        return "event_action"
    if event["event_action"] != "trigger" and not event.get("dedup_key"):
        return "dedup_key: needed to resolve"
    if "dedup_key" in event and not text(event["dedup_key"], 255):
        return "dedup_key"
    if event["event_action"] == "trigger" or event.get("payload"):
        payload = event.get("payload")
        if not isinstance(payload, dict):
            return "payload"
        known = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
        if set(payload) - known:
            return f"unknown in payload: {set(payload) - known}"
        if not text(payload.get("summary"), 1024):
            return "payload.summary"
        if not text(payload.get("source"), 1024):
            return "payload.source"
        if payload.get("severity") not in ("critical", "error", "warning", "info"):
            return "payload.severity"
        if not isinstance(payload.get("custom_details", {}), dict):
            return "payload.custom_details"
    for link in event.get("links", []):
        if set(link) - {"href", "text"} or not str(link.get("href", "")).startswith("http"):
            return "links"
    return None


def wrong_issue(body, whole=True):
    """What Jira would find wrong with the body that makes or changes an issue."""
    if not isinstance(body, dict) or set(body) != {"fields"}:
        return "only fields"
    fields = body["fields"]
    known = {"project", "issuetype", "summary", "description", "labels", "priority"}
    if set(fields) - known:
        return f"unknown fields: {set(fields) - known}"
    if whole and set(fields) < {"project", "issuetype", "summary"}:
        return "project, issuetype and summary are needed"
    if fields.get("project") != {"key": "OPS"}:
        return "project"
    if fields.get("issuetype") != {"name": "[System] Incident"}:
        return "issuetype"
    summary = fields.get("summary")
    if not isinstance(summary, str) or not 0 < len(summary) <= 255 or "\n" in summary:
        return "summary: one line of at most 255 characters"
    if not isinstance(fields.get("description", ""), str) or len(fields.get("description", "")) > 32767:
        return "description: text in version 2 of the API"
    if any(not isinstance(label, str) or not label or re.search(r"\s", label) for label in fields.get("labels", [])):
        return "labels: without spaces"
    if "priority" in fields and set(fields["priority"]) - {"id", "name"}:
        return "priority"
    return None


def wrong_transition(body):
    """What Jira would find wrong with a transition."""
    if not isinstance(body, dict) or set(body) - {"transition", "fields", "update"}:
        return "only transition, fields and update"
    if body.get("transition", {}).get("id") not in [transition["id"] for transition in TRANSITIONS]:
        return "transition: not one of this issue"
    return None


class Vendor:
    """A server on the loopback. What it refused is kept, and makes a test fail."""

    def __init__(self, address="127.0.0.1", port=0):
        self.lock, self.refused = threading.Lock(), []
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                with vendor.lock:
                    status, answer = vendor.answer(self.command, self.path, self.headers, raw)
                    if status >= 400:
                        vendor.refused.append((self.command, self.path, status, answer, raw.decode(errors="replace")))
                body = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{address}:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def read(headers, raw):
        if not headers.get("content-type", "").startswith("application/json"):
            return None
        try:
            return json.loads(raw)
        except ValueError:
            return None


class PagerDuty(Vendor):
    def __init__(self):
        super().__init__()
        self.events = []

    def answer(self, method, path, headers, raw):
        event = self.read(headers, raw)
        if (method, path) != ("POST", "/v2/enqueue"):
            return 404, {"status": "no such address"}
        wrong = wrong_event(event) or (len(raw) > 512 * 1024 and "larger than 512 KB")
        if wrong:
            return 400, {"status": "invalid event", "message": "Event object is invalid", "errors": [wrong]}
        self.events.append(event)
        return 202, {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}

    def of(self, alert, action):
        with self.lock:
            return [event for event in self.events if event["event_action"] == action and event["payload"].get("class") == alert]


class Jira(Vendor):
    def __init__(self):
        super().__init__()
        self.issues = {}

    def answer(self, method, path, headers, raw):
        right = "Basic " + base64.b64encode(f"{JIRA_USER}:{JIRA_TOKEN}".encode()).decode()
        if headers.get("authorization") != right:
            return 401, {"errorMessages": ["who are you"]}
        body = self.read(headers, raw)
        refuse = lambda wrong: (400, {"errorMessages": [wrong], "errors": {}})
        if (method, path) == ("POST", "/rest/api/3/search/jql"):
            return self.search(body, refuse)
        if (method, path) == ("POST", "/rest/api/2/issue"):
            wrong = wrong_issue(body)
            if wrong:
                return refuse(wrong)
            key = f"OPS-{len(self.issues) + 1}"
            self.issues[key] = {"fields": body["fields"], "body": body, "done": False}
            return 201, {"id": str(10_000 + len(self.issues)), "key": key, "self": f"{self.url}/rest/api/2/issue/{key}"}
        found = re.fullmatch(r"/rest/api/2/issue/(OPS-\d+)(/transitions)?", path)
        if not found or found[1] not in self.issues:
            return 404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]}
        issue = self.issues[found[1]]
        if found[2] and method == "GET":
            return 200, {"expand": "transitions", "transitions": TRANSITIONS}
        if found[2] and method == "POST":
            wrong = wrong_transition(body)
            if wrong:
                return refuse(wrong)
            issue["done"] = body["transition"]["id"] == "5"
            issue["transition"] = body
            return 204, None
        if method == "PUT":
            wrong = wrong_issue(body, whole=False)
            if wrong:
                return refuse(wrong)
            issue["fields"] |= body["fields"]
            return 204, None
        return 405, {"errorMessages": ["method"]}

    def search(self, body, refuse):
        if not isinstance(body, dict) or set(body) - {"jql", "fields", "maxResults", "nextPageToken", "expand"} or not body.get("fields"):
            return refuse("jql, fields, maxResults")
        label = re.search(r'labels="([^"]+)"', body["jql"])
        if not label or 'project="OPS"' not in body["jql"]:
            return refuse("jql is not bounded")
        only_open = "statusCategory != Done" in body["jql"]
        status = lambda issue: {"name": "Done" if issue["done"] else "Open", "statusCategory": {"key": "done" if issue["done"] else "new"}}
        found = [{"id": key, "key": key, "fields": {"status": status(issue)}} for key, issue in self.issues.items() if label[1] in issue["fields"]["labels"] and not (only_open and issue["done"])]
        return 200, {"issues": found, "isLast": True}

    def of(self, alert):
        with self.lock:
            return [issue for issue in self.issues.values() if alert in issue["fields"]["labels"]]
