"""Programs that a test starts, each with a free port on the loopback, and ends again by its process."""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
PATIENCE = 60


class Failed(Exception):
    """Something does not hold."""


class Ended(Failed):
    """A program has ended that should run; waiting does not help."""


def ensure(holds, *words):
    if not holds:
        raise Failed(" ".join(str(word) for word in words))


def tool(*names):
    """The path of a pinned program; it is built the first time."""
    return subprocess.run([ROOT / "deploy/tools/get", *names], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fetch(url, body=None, headers=None):
    """Asks and returns status, headers and body, whatever the status is; a redirect is not followed."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with OPENER.open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read()


class Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), Still)


def soon(what, look, patience=PATIENCE):
    """Looks again and again until it is so, and returns what was seen; the last failure is told if it never is."""
    begun, last = time.monotonic(), None
    while time.monotonic() - begun < patience:
        try:
            seen = look()
            if seen:
                return seen
        except Ended:
            raise
        except (Failed, OSError, ValueError, KeyError, IndexError) as error:
            last = error
        time.sleep(0.1)
    raise Failed(f"{what}: not within {patience} s" + (f" ({last})" if last else ""))


class Program:
    """A program that runs. Its output is kept in a file of the folder."""

    def __init__(self, name, command, folder, environment=None):
        self.name = name
        self.log = pathlib.Path(folder) / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def alive(self):
        if self.process.poll() is not None:
            raise Ended(f"{self.name} ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
        return True

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Ground:
    """A folder for a test and everything that it started; all of it goes at the end."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tradewind-observability-"))
        self.folder.chmod(0o755)
        self.started = []
        return self

    def __exit__(self, *_):
        for one in reversed(self.started):
            one.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, command, environment=None):
        program = Program(name, [str(part) for part in command], self.folder, environment)
        self.started.append(program)
        return program


def rules(into, ranges=None):
    """Copies all rules, looked at every second. `ranges` shortens windows: `{"5m": "5s"}`; and patience, by less where a rule waits for the first scrape."""
    into.mkdir()
    for file in [*sorted((HERE / "generated/rules").glob("*.yaml")), HERE / "alerts.yaml"]:
        text = re.sub(r"^( +interval:) \w+$", r"\1 1s", file.read_text(), flags=re.M)
        if ranges:
            text = re.sub(r"\[(\w+)\]", lambda found: f"[{ranges[found[1]]}]", text)
            text = re.sub(r"^( +for:) (\w+)$", lambda found: f"{found[1]} {'1s' if found[2] in ('1m', '2m', '5m') else '30s'}", text, flags=re.M)
        (into / file.name).write_text(text)
    return into


class Prometheus:
    """A real Prometheus. `targets` are address and labels."""

    def __init__(self, ground, name, rules_folder, targets, alertmanager=None):
        self.url = f"http://127.0.0.1:{free_port()}"
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [f"{rules_folder}/*.yaml"],
            "scrape_configs": [{"job_name": "tradewind", "static_configs": [{"targets": [address], "labels": labels} for address, labels in targets]}],
        }
        if alertmanager:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
        # JSON is YAML.
        file = ground.folder / f"{name}.json"
        file.write_text(json.dumps(config))
        listen = self.url.removeprefix("http://")
        command = [tool("prometheus"), f"--config.file={file}", f"--storage.tsdb.path={ground.folder / name}", f"--web.listen-address={listen}", "--log.level=warn"]
        self.program = ground.start(name, command)
        soon(f"{name} is ready", lambda: self.program.alive() and fetch(f"{self.url}/-/ready")[0] == 200)

    def api(self, path, **parameters):
        status, _, body = fetch(f"{self.url}/api/v1/{path}", urllib.parse.urlencode(parameters).encode() if parameters else None)
        answer = json.loads(body)
        ensure(status == 200 and answer["status"] == "success", path, parameters, answer.get("error"))
        return answer["data"]

    def query(self, expression):
        """The values of an expression that are numbers, with their labels."""
        data = self.api("query", query=expression)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        found = [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]
        return [(labels, value) for labels, value in found if value == value]

    def firing(self):
        return [alert["labels"] for alert in self.api("alerts")["alerts"] if alert["state"] == "firing"]

    def rules(self):
        """Every rule as Prometheus has read it."""
        return [rule for group in self.api("rules")["groups"] for rule in group["rules"]]

    def names(self, expression):
        """The names of the metrics an expression looks at."""
        def walk(node):
            if isinstance(node, dict):
                if node.get("type") in ("vectorSelector", "matrixSelector"):
                    yield node["name"]
                for part in node.values():
                    yield from walk(part)
            elif isinstance(node, list):
                for part in node:
                    yield from walk(part)
        return set(walk(self.api("parse_query", query=expression)))
