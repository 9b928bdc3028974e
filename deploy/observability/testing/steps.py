"""What is tested, step by step. Each step raises Failed with words that say what does not hold."""

import concurrent.futures
import copy
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from . import vendors
from .exporter import Exporter
from .programs import HERE, ROOT, Ended, Failed, Prometheus, ensure, fetch, free_port, rules, soon, tool
from .shop import Shop, visit

# What Argo Rollouts asks about new pods: part of the chart.
ANALYSIS = ROOT / "deploy/helm/tradewind/files/analysis-templates.yaml"
# Expressions of dashboards that may be empty after a short visit, and why.
MAY_BE_EMPTY = {}
# Metrics that alerts and dashboards look at and a healthy shop has not told of yet, and why.
MAY_BE_ABSENT = {
    "http_requests_shed_total": "begins with the first request that is refused because of overload",
    "limits_exceeded_total": "begins with the first who comes too often",
    "rollout_info": "told by Argo Rollouts, not by the shop",
    "argocd_app_info": "told by Argo CD, not by the shop",
}


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


def sources(_ground):
    """What is committed is what the objectives say; every alert has its runbook and every runbook its alert."""
    done = run("cargo", "run", "--quiet", "--locked", "--package", "xtask", "--", "slo", "--check", cwd=ROOT)
    ensure(done.returncode == 0, done.stdout + done.stderr)


def rule_tests(ground):
    """promtool: rules are well-formed, fire where they must and stay silent where they must; seeded faults are seen."""
    promtool = tool("prometheus", "promtool")
    folder = ground.folder / "rules"
    shutil.copytree(HERE / "generated/rules", folder)
    files = [HERE / "alerts.yaml", *sorted(folder.glob("*.yaml"))]
    check = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *files)
    ensure(check.returncode == 0, check.stdout + check.stderr)

    def sound(test):
        tests = run(promtool, "test", "rules", test)
        ensure(tests.returncode == 0, (tests.stdout + tests.stderr)[-4000:])

    def seeded(source, test, old, new):
        broken = pathlib.Path(tempfile.mkdtemp(dir=ground.folder))
        (broken / "tests").mkdir()
        text = source.read_text()
        ensure(old in text, f"stale: {source.name} has no {old}")
        (broken / source.name).write_text(text.replace(old, new))
        place = broken / "tests" / test.name if test.parent.name == "tests" else broken / test.name
        place.write_text(test.read_text())
        ensure(run(promtool, "test", "rules", place).returncode != 0, f"{old} → {new} in {source.name} was not seen")

    work = [(sound, test) for test in (HERE / "alerts_test.yaml", *sorted((folder / "tests").glob("*.yaml")))]
    checkout, test = folder / "checkout-availability.yaml", folder / "tests/checkout-availability.yaml"
    for old, new in [('code=~"5.."', 'code=~"4.."'), ("> 14.4 * 0.001", "> 144 * 0.001"), (">= 50", ">= 5"), ('code!="499",', ""), ('code!="499",release_role!="preview"', 'code!="499"'), ("absent(", "count(")]:
        work.append((seeded, checkout, test, old, new))
    by_hand = HERE / "alerts.yaml", HERE / "alerts_test.yaml"
    work += [(seeded, *by_hand, "topk by (namespace)", "bottomk by (namespace)"), (seeded, *by_hand, "> 120", "> 12000"), (seeded, *by_hand, "Abort|", ""), (seeded, *by_hand, 'operation="",', "")]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for one in [pool.submit(*one) for one in work]:
            one.result()
    bad = ground.folder / "bad.yaml"
    bad.write_text("groups: [{name: a, rules: [{alert: B, expr: 'sum(a'}]}]")
    ensure(run(promtool, "check", "rules", bad).returncode != 0, "a rule that is no PromQL was not seen")


def objects(_ground):
    """What a cluster gets is held against the strict schemas of its kinds."""
    kubeconform, schemas = tool("kubeconform"), tool("schemas", "kinds")
    place = f"{schemas}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
    files = [ANALYSIS, HERE / "generated/prometheus-rule.yaml"]
    check = lambda *options, **more: run(kubeconform, "-strict", "-schema-location", place, *options, **more)
    done = check(*files)
    ensure(done.returncode == 0, done.stdout, done.stderr)
    given = (ROOT / "deploy/helm/tradewind/templates/servers.yaml").read_text()
    wanted = set(re.findall(r"^  - name: ([a-z-]+)\n(?=  - name|  metrics:)", files[0].read_text(), re.M))
    lacking = [name for name in wanted if f"{{name: {name}, " not in given]
    ensure(wanted and not lacking, "the chart's Rollouts do not give", lacking)
    for file, old, new in [(files[0], "failureLimit", "failurLimit"), (files[1], "  expr:", "  expression:")]:
        ensure(check(input=file.read_text().replace(old, new)).returncode != 0, f"{new} was not seen")


def runbooks(_ground):
    """Every command a runbook names exists, and what is to be pasted into a shell can be read by one."""
    from .shop import program
    named = set()
    for page in sorted((ROOT / "docs/runbooks").glob("*.md")):
        for block in re.findall(r"^ *```sh[^\n]*\n(.*?)^ *```$", page.read_text(), re.MULTILINE | re.DOTALL):
            done = run("sh", "-n", input=block)
            ensure(done.returncode == 0, page.name, done.stderr, block)
        for span in re.findall(r"`tradewind ([a-z][^`]*)`", page.read_text()):
            named.add(tuple(word for word in span.split() if not word.startswith("…")))
    ensure(len(named) >= 4, "hardly any command is named", named)
    for words in named:
        done = run(program(), *words, "--help")
        ensure(done.returncode == 0, "tradewind", *words, "does not exist:", done.stderr)


def haproxy(ground):
    """A gateway that tells its figures, with the parts that the chart's gateway has."""
    port = free_port()
    parts = "".join(f"backend {name}\n    mode http\n    server {name} 127.0.0.1:9\n" for name in ("api", "storefront", "backoffice"))
    file = ground.folder / "haproxy.cfg"
    file.write_text(f"defaults\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\nfrontend operations\n    mode http\n    bind 127.0.0.1:{port}\n    http-request use-service prometheus-exporter if {{ path /metrics }}\n{parts}")
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    ensure(program, "HAProxy is missing: apt-get install haproxy")
    ground.start("haproxy", [program, "-db", "-f", file])
    return f"127.0.0.1:{port}"


def redis(ground):
    """A Redis that keeps nothing; its address."""
    program = shutil.which("redis-server")
    ensure(program, "Redis is missing: apt-get install redis-server")
    port = free_port()
    ground.start("redis", [program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", ground.folder])
    return f"redis://127.0.0.1:{port}"


def expressions_of_dashboards():
    for file in sorted((HERE / "generated/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield f"dashboard {file.stem}, {panel['title']}", target["expr"].replace("$__rate_interval", "20s").replace("$namespace", "shop")


def expressions_of_analysis():
    """The queries of the AnalysisTemplates as Argo Rollouts asks them."""
    text = ANALYSIS.read_text()
    queries = re.findall(r"^ +query: (.*)$", text, re.M)
    ensure(len(queries) == text.count("provider:"), "a query was not found")
    given = {"namespace": "shop", "hash": "new", "active-hash": "old"}
    for query in queries:
        if query.startswith("'"):
            query = query[1:-1].replace("''", "'")
        yield "analysis", re.sub(r"\{\{args\.([a-z-]+)\}\}", lambda found: given[found[1]], query)


def dashboards(ground):
    """Every expression of dashboards, analysis and report gives data from the real program, and every metric an alert looks at is there."""
    shop = Shop(ground, redis(ground))
    common = {"namespace": "shop"}
    targets = [
        (shop.operations, common | {"instance": "new", "release_role": "active", "rollouts_pod_template_hash": "new"}),
        # The same process once more, as if it were a pod of the release before.
        (shop.operations.replace("127.0.0.1", "localhost"), common | {"instance": "old", "release_role": "active", "rollouts_pod_template_hash": "old"}),
        (haproxy(ground), common | {"instance": "gateway"}),
    ]
    prometheus = Prometheus(ground, "prometheus", rules(ground.folder / "quick"), targets)
    soon("all targets are up", lambda: len([1 for _, value in prometheus.query("up") if value == 1]) == len(targets), 20)
    visit(shop, 8)
    # What is looked at over twenty seconds has to be seen a few times.
    soon("the budgets are known", lambda: len(prometheus.query("slo:budget_left:ratio")) == len(list((HERE / "slo").glob("*.yaml"))), 20)
    all_of_them = [*expressions_of_dashboards(), *expressions_of_analysis()]
    ensure(len(all_of_them) > 100, "hardly any expression was found")
    empty = without_data(prometheus, all_of_them)
    ensure(not empty, "no data:\n  " + "\n  ".join(f"{where}: {expression}" for where, expression in empty))
    stale = [expression for expression in MAY_BE_EMPTY if expression not in [one for _, one in all_of_them]]
    ensure(not stale, "may be empty, and nobody asks for it:", stale)
    # A fault of this kind has to be seen.
    ensure(len(without_data(prometheus, [("seeded", "sum(rate(http_request_total[20s]))")])) == 1, "an expression without data was not seen")

    looked_at = set().union(*(prometheus.names(expression) for _, expression in all_of_them))
    for rule in prometheus.rules():
        ensure(rule["health"] == "ok", rule["name"], rule.get("lastError"))
        looked_at |= prometheus.names(rule["query"])
    absent = sorted(name for name in looked_at - set(MAY_BE_ABSENT) if not prometheus.query(f"count({name})"))
    ensure(not absent, "nobody tells these metrics:", absent)
    told = [name for name in MAY_BE_ABSENT if name not in looked_at]
    ensure(not told, "may be absent, and nobody looks at it:", told)
    # How fast an unoptimised program is on a busy machine says nothing.
    ensure(not prometheus.query('count(ALERTS{severity="page",alertstate="firing",alertname!~".+Slow"})'), "somebody would be woken by a healthy shop:", prometheus.firing())

    report = run(HERE / "sla-report", prometheus.url)
    ensure(report.returncode == 0 and report.stdout.count("%") >= 3 * 10 and "unknown" not in report.stdout, report.stdout, report.stderr)


def without_data(prometheus, expressions):
    return [(where, expression) for where, expression in expressions if expression not in MAY_BE_EMPTY and not prometheus.query(expression)]


# What stands for the windows of the rules, so that minutes pass in seconds.
SHORT = {"5m": "5s", "30m": "8s", "1h": "20s", "2h": "10s", "6h": "25s", "1d": "40s", "3d": "60s", "30d": "10m"}


def alertmanager(ground, pagerduty, jira):
    """A real Alertmanager with our configuration; only addresses, files and waiting times are of this test."""
    secrets = {"pagerduty-routing-key": vendors.ROUTING_KEY, "jira-user": vendors.JIRA_USER, "jira-token": vendors.JIRA_TOKEN}
    for name, secret in secrets.items():
        (ground.folder / name).write_text(secret)
    text = (HERE / "alertmanager/alertmanager.yaml").read_text()
    for old, new in [
        ("https://events.pagerduty.com/v2/enqueue", f"{pagerduty.url}/v2/enqueue"),
        ("https://YOUR-SITE.atlassian.net/rest/api/2", f"{jira.url}/rest/api/2"),
        ("/etc/alertmanager/secrets/", f"{ground.folder}/"),
        ("group_wait: 30s", "group_wait: 2s"),
        ("group_interval: 5m", "group_interval: 2s"),
    ]:
        ensure(old in text, f"stale: the configuration has no {old}")
        text = text.replace(old, new)
    shutil.copy(HERE / "alertmanager/tradewind.tmpl", ground.folder)
    return start_alertmanager(ground, "alertmanager", text)


def start_alertmanager(ground, name, text):
    file, address = ground.folder / f"{name}.yaml", f"127.0.0.1:{free_port()}"
    file.write_text(text)
    command = [tool("alertmanager"), f"--config.file={file}", f"--storage.path={ground.folder / name}", f"--web.listen-address={address}", "--cluster.listen-address=", "--log.level=warn"]
    program = ground.start(name, command)
    soon(f"{name} is ready", lambda: program.alive() and fetch(f"http://{address}/-/ready")[0] == 200)
    return address


def configuration(ground):
    """Alertmanager and Prometheus take the committed configurations; what is misspelled is refused."""
    text = (HERE / "alertmanager/alertmanager.yaml").read_text()
    shutil.copy(HERE / "alertmanager/tradewind.tmpl", ground.folder)
    start_alertmanager(ground, "committed", text)
    try:
        start_alertmanager(ground, "misspelled", text.replace("resolve_transition", "resolv_transition"))
    except Ended:
        pass
    else:
        raise Failed("a misspelled configuration was taken")
    promtool = tool("prometheus", "promtool")
    check = run(promtool, "check", "config", HERE / "prometheus.yaml")
    ensure(check.returncode == 0, check.stdout, check.stderr)


def alerts(ground):
    """Rules fire from scraped metrics and arrive as the vendors want them: grouped, inhibited, resolved."""
    pagerduty, jira, exporter = vendors.PagerDuty(), vendors.Jira(), Exporter()
    ground.started += [pagerduty, jira, exporter]
    manager = alertmanager(ground, pagerduty, jira)
    labels = {"namespace": "shop", "instance": "one"}
    prometheus = Prometheus(ground, "compressed", rules(ground.folder / "short", SHORT), [(exporter.address, labels)], manager)
    firing = lambda **wanted: [alert for alert in prometheus.firing() if all(alert.get(name) == value for name, value in wanted.items())]
    soon("budgets are known", lambda: len(prometheus.query("slo:errors:ratio1h")) == 10)
    time.sleep(4)
    ensure(not prometheus.firing() and not pagerduty.events and not jira.issues, "told of a healthy shop:", prometheus.firing(), pagerduty.events, jira.issues)

    # Half of the purchases fail, and three jobs are dead.
    exporter.failing, exporter.dead = 0.5, 3
    soon("pages and tickets fire", lambda: {alert["window"] for alert in firing(alertname="CheckoutErrors")} == {"1h", "6h", "1d", "3d"})
    page = soon("PagerDuty hears of it", lambda: pagerduty.of("CheckoutErrors", "trigger"))[0]
    whole = soon("both windows are one incident", lambda: [event for event in pagerduty.of("CheckoutErrors", "trigger") if event["payload"]["custom_details"]["firing"] == "2"])[0]
    ensure({event["dedup_key"] for event in pagerduty.of("CheckoutErrors", "trigger")} == {page["dedup_key"]}, "more than one incident")
    said = whole["payload"]["custom_details"]["what users feel"]
    for words in (r"Shoppers cannot pay for what is in their cart: \d+(\.\d+)?% of checkout requests failed in the last hour", r"Promised is 99.9% over 30 days", r"Left of this budget for errors: -?\d[\d.e+]*%", r"gone in: \d"):
        ensure(re.search(words, said), "the alert does not say", words, "but", said)
    ensure(whole["payload"]["summary"].startswith("tradewind/shop: Shoppers cannot pay"), whole["payload"]["summary"])
    ensure(whole["payload"]["custom_details"]["runbook"] == "docs/runbooks/checkout-errors.md", whole["payload"])
    dead = soon("Jira has a ticket of the dead jobs", lambda: jira.of("DeadJobs"))[0]
    ensure("3 jobs of orders are given up" in dead["fields"]["summary"] and "docs/runbooks/dead-jobs.md" in dead["fields"]["description"], dead["fields"])
    # The tickets of the same objective fire, and nobody gets them while somebody is awake.
    ensure(len(firing(alertname="CheckoutErrors", severity="ticket")) == 2, "no ticket fires")
    muted = [alert for alert in json.loads(fetch(f"http://{manager}/api/v2/alerts")[2]) if alert["labels"]["alertname"] == "CheckoutErrors" and alert["status"]["inhibitedBy"]]
    ensure(len(muted) == 2 and not jira.of("CheckoutErrors"), "the ticket was not held back", muted, jira.of("CheckoutErrors"))
    ensure(not pagerduty.of("BrowseErrors", "trigger"), "browsing is well")

    exporter.failing, exporter.dead = 0, 0
    resolved = soon("PagerDuty hears that it is over", lambda: pagerduty.of("CheckoutErrors", "resolve"))
    ensure(resolved[0]["dedup_key"] == page["dedup_key"], "another incident was resolved")
    soon("the ticket is resolved", lambda: dead["done"])
    soon("nothing fires any more", lambda: not prometheus.firing())

    # Without a database everything else is its consequence.
    before = len(pagerduty.of("CheckoutErrors", "trigger"))
    exporter.database = 0
    soon("PagerDuty hears of the database", lambda: pagerduty.of("DatabaseDown", "trigger"))
    exporter.failing = 0.5
    soon("purchases fail", lambda: firing(alertname="CheckoutErrors", severity="page"))
    time.sleep(5)
    ensure(len(pagerduty.of("CheckoutErrors", "trigger")) == before, "woken twice for one cause")
    ensure(not pagerduty.refused and not jira.refused, "the vendors refused:", pagerduty.refused, jira.refused)
    refusals(whole, dead)


def refusals(event, issue):
    """The vendors' endpoints refuse bodies that the vendors would refuse."""
    ensure(vendors.wrong_event(event) is None and vendors.wrong_issue(issue["body"]) is None and vendors.wrong_transition(issue["transition"]) is None, "a good body is refused")

    def spoiled(body, *path, value=None):
        body = copy.deepcopy(body)
        inner = body
        for name in path[:-1]:
            inner = inner[name]
        if value is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        return body

    events = [spoiled(event, name) for name in ("routing_key", "event_action", "payload")] + [spoiled(event, "payload", name) for name in ("summary", "source", "severity")]
    events += [spoiled(event, "payload", "severity", value="page"), spoiled(event, "payload", "summary", value="x" * 1025), spoiled(event, "incident_key", value="1"), spoiled(event, "event_action", value="open"), spoiled(event, "dedup_key", value="x" * 256)]
    ensure(all(vendors.wrong_event(event) for event in events), "a wrong event was taken")
    body = issue["body"]
    issues = [spoiled(body, "fields", name) for name in ("project", "issuetype", "summary")]
    issues += [spoiled(body, "fields", "labels", value=["two words"]), spoiled(body, "fields", "summary", value="two\nlines"), spoiled(body, "fields", "assigned", value="me"), spoiled(body, "update", value={})]
    ensure(all(vendors.wrong_issue(issue) for issue in issues), "a wrong issue was taken")
    ensure(vendors.wrong_transition({"transition": {"id": "99"}}), "a wrong transition was taken")
