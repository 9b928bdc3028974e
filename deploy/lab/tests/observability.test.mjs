// What watches the lab is what is committed; the endpoint for pages and tickets refuses what the vendors would, and forgets nothing.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const home = mkdtempSync(join(tmpdir(), "tradewind-lab-"));
process.env.TRADEWIND_LAB = home;
const { clone, found } = await import("../src/lab.mjs");
const { scraping } = await import("../src/observability.mjs");
const { run, tool, until } = await import("../src/run.mjs");

after(() => rmSync(home, { recursive: true }));

test("Prometheus takes the lab's configuration, and it keeps the committed times and rules", async () => {
    const file = join(home, "prometheus.json");
    writeFileSync(file, JSON.stringify(scraping()));
    const said = await run(await tool("prometheus", "promtool"), ["check", "config", "--syntax-only", file]);
    assert.match(said, /SUCCESS/);
    const committed = readFileSync(join(clone, "deploy/observability/prometheus.yaml"), "utf8");
    for (const [name, time] of Object.entries(scraping().global)) assert.match(committed, new RegExp(`^  ${name}: ${time}$`, "m"));
    for (const files of scraping().rule_files) assert.ok(committed.includes(`- ${files.replace(`${clone}/deploy/observability/`, "")}\n`), files);
});

test("pods get the labels that the chart's ServiceMonitor gives them", () => {
    const chart = readFileSync(join(clone, "deploy/helm/tradewind/templates/monitoring.yaml"), "utf8");
    const [, listed] = chart.match(/podTargetLabels: \[(.*)\]/);
    const targets = scraping().scrape_configs[0].relabel_configs.map((rule) => rule.target_label);
    for (const label of listed.split(", ")) assert.ok(targets.includes(label.replaceAll(/[./-]/g, "_")), label);
});

test("the endpoint refuses what the vendors would, keeps every message, and remembers issues when it is started anew", async () => {
    const secrets = join(home, "secrets");
    mkdirSync(secrets);
    writeFileSync(join(secrets, "pagerduty-routing-key"), "k".repeat(32));
    writeFileSync(join(secrets, "jira-user"), "ops");
    writeFileSync(join(secrets, "jira-token"), "secret");
    const received = join(home, "alerts", "received.jsonl");
    const port = await freePort();
    const ask = (path, body, headers = {}) =>
        fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });
    const listed = () => (found(received) ?? "").split("\n").filter(Boolean).map((line) => JSON.parse(line));
    const jira = { authorization: `Basic ${Buffer.from("ops:secret").toString("base64")}` };
    const issue = { fields: { project: { key: "OPS" }, issuetype: { name: "[System] Incident" }, summary: "It is broken", labels: ["one"] } };
    const search = { jql: 'project="OPS" and labels="one" and statusCategory != Done', fields: ["status"], maxResults: 2 };

    let endpoint = await startEndpoint(port, received, secrets);
    try {
        const page = { routing_key: "k".repeat(32), event_action: "trigger", dedup_key: "1", payload: { summary: "It is broken", source: "shop", severity: "critical" } };
        assert.equal((await ask("/v2/enqueue", page)).status, 202);
        assert.equal((await ask("/v2/enqueue", { ...page, payload: { ...page.payload, severity: "very" } })).status, 400);
        assert.equal((await ask("/rest/api/2/issue", issue)).status, 401);
        assert.equal((await ask("/rest/api/2/issue", issue, jira)).status, 201);
        assert.equal((await (await ask("/rest/api/3/search/jql", search, jira)).json()).issues.length, 1);
        assert.deepEqual(listed().map(({ kind, accepted }) => [kind, accepted]), [["page", true], ["page", false], ["ticket", false], ["ticket", true]]);
        assert.ok(!readFileSync(received, "utf8").includes("kkkk"), "the key was written down");

        endpoint = await startEndpoint(port, received, secrets, endpoint);
        assert.equal((await (await ask("/rest/api/3/search/jql", search, jira)).json()).issues.length, 1);
        assert.equal((await ask("/rest/api/2/issue/OPS-1/transitions", { transition: { id: "5" } }, jira)).status, 204);
        endpoint = await startEndpoint(port, received, secrets, endpoint);
        assert.equal((await (await ask("/rest/api/3/search/jql", search, jira)).json()).issues.length, 0);
    } finally {
        endpoint.kill();
    }
});

async function startEndpoint(port, received, secrets, before) {
    if (before) await new Promise((ended) => before.once("exit", ended) && before.kill());
    const endpoint = spawn("python3", ["-B", join(clone, "deploy/lab/src/vendors.py"), `127.0.0.1:${port}`, received, secrets], { stdio: "inherit" });
    await until("the endpoint answers", async () => (await fetch(`http://127.0.0.1:${port}/`)).ok, { seconds: 10, every: 0.05 });
    return endpoint;
}

const freePort = () =>
    new Promise((done) => {
        const server = createServer().listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => done(port));
        });
    });
