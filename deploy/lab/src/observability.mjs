// The lab's Prometheus and Alertmanager with the committed rules and routes, and the endpoint that stands for PagerDuty and Jira.
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { at, authority, clone, found, kubeconfig, listeners, namespace, release, writeWhole } from "./lab.mjs";
import { start } from "./processes.mjs";
import { tool, until } from "./run.mjs";
import { received } from "./alerts.mjs";

const committed = join(clone, "deploy/observability");

/// Starts Prometheus: every pod of the shop each 5 s with the labels that a ServiceMonitor of the operator would give it, and the controllers that release.
export async function startMonitoring() {
    const settings = at("prometheus", "prometheus.json");
    writeWhole(settings, JSON.stringify(scraping(), null, 4));
    await start("prometheus", await tool("prometheus"), [
        `--config.file=${settings}`,
        `--storage.tsdb.path=${at("prometheus", "data")}`,
        "--storage.tsdb.retention.time=31d",
        `--web.listen-address=${authority("prometheus")}`,
        "--log.level=warn",
    ], { reads: [settings, ...ruleFiles()] });
    await until("Prometheus is ready", () => answers("prometheus", "/-/ready"));
}

/// Starts Alertmanager with its committed routes, and before it the endpoint they lead to.
export async function startAlerting() {
    const secrets = vendorSecrets();
    await start("pager", "python3", [
        join(clone, "deploy/lab/src/vendors.py"), authority("pager"), received, secrets,
    ], { env: { PYTHONDONTWRITEBYTECODE: "1" }, reads: [join(clone, "deploy/lab/src/vendors.py"), join(committed, "testing/vendors.py")] });
    await until("the endpoint for pages and tickets answers", () => answers("pager", "/"));

    const settings = at("alertmanager", "alertmanager.yaml");
    writeWhole(settings, routing(secrets));
    copyFileSync(join(committed, "alertmanager/tradewind.tmpl"), at("alertmanager", "tradewind.tmpl"));
    await start("alertmanager", await tool("alertmanager"), [
        `--config.file=${settings}`,
        `--storage.path=${at("alertmanager", "data")}`,
        `--web.listen-address=${authority("alertmanager")}`,
        `--web.external-url=http://${authority("alertmanager")}`,
        "--cluster.listen-address=",
        "--log.level=warn",
    ], { reads: [settings, at("alertmanager", "tradewind.tmpl")] });
    await until("Alertmanager is ready", () => answers("alertmanager", "/-/ready"));
}

/// Prometheus' configuration. Its intervals, rules and Alertmanager are those of deploy/observability/prometheus.yaml.
export function scraping() {
    const drop = (source, regex) => ({ source_labels: [source], regex, action: "drop" });
    const keep = (source, regex) => ({ source_labels: [source], regex, action: "keep" });
    const named = (source, target) => ({ source_labels: [source], target_label: target });
    const pod = "__meta_kubernetes_pod";
    return {
        global: { scrape_interval: "5s", scrape_timeout: "5s", evaluation_interval: "30s" },
        rule_files: [join(committed, "generated/rules/*.yaml"), join(committed, "alerts.yaml")],
        alerting: { alertmanagers: [{ static_configs: [{ targets: [authority("alertmanager")] }] }] },
        scrape_configs: [
            {
                job_name: "tradewind",
                kubernetes_sd_configs: [{ role: "pod", kubeconfig_file: kubeconfig, namespaces: { names: [namespace] } }],
                relabel_configs: [
                    keep(`${pod}_label_app_kubernetes_io_name`, "tradewind"),
                    keep(`${pod}_container_port_name`, "operations"),
                    drop(`${pod}_phase`, "Succeeded|Failed"),
                    // As the ServiceMonitor of the chart names them: the job after the Service, and `podTargetLabels`.
                    { source_labels: [`${pod}_label_app_kubernetes_io_instance`], regex: "(.+)", replacement: "$1-operations", target_label: "job" },
                    named("__meta_kubernetes_namespace", "namespace"),
                    named(`${pod}_name`, "pod"),
                    named(`${pod}_container_name`, "container"),
                    named(`${pod}_label_app_kubernetes_io_component`, "app_kubernetes_io_component"),
                    named(`${pod}_label_release_role`, "release_role"),
                    named(`${pod}_label_rollouts_pod_template_hash`, "rollouts_pod_template_hash"),
                ],
            },
            // The gateway uses the node's network and names no ports; its address is always the same.
            {
                job_name: "gateway",
                static_configs: [{ targets: [authority("gatewayOperations")], labels: { job: `${release}-operations`, namespace, app_kubernetes_io_component: "gateway" } }],
            },
            // What they tell of is labelled with the namespace they tell of.
            { job_name: "argo-rollouts", honor_labels: true, static_configs: [{ targets: [authority("rolloutsMetrics")] }] },
            { job_name: "argo-cd", honor_labels: true, static_configs: [{ targets: [authority("argocdMetrics")] }] },
        ],
    };
}

/// Every file with rules: another rule is a reason to start Prometheus anew.
function ruleFiles() {
    const generated = join(committed, "generated/rules");
    return [...readdirSync(generated).filter((file) => file.endsWith(".yaml")).map((file) => join(generated, file)), join(committed, "alerts.yaml")];
}

/// Alertmanager's committed configuration with the lab's addresses, and nothing else changed.
function routing(secrets) {
    let text = readFileSync(join(committed, "alertmanager/alertmanager.yaml"), "utf8");
    const vendors = `http://${authority("pager")}`;
    const addresses = [
        ["https://events.pagerduty.com/v2/enqueue", `${vendors}/v2/enqueue`],
        ["https://YOUR-SITE.atlassian.net/rest/api/2", `${vendors}/rest/api/2`],
        ["/etc/alertmanager/secrets/", `${secrets}/`],
    ];
    for (const [old, ours] of addresses) {
        if (!text.includes(old)) throw new Error(`deploy/observability/alertmanager/alertmanager.yaml has no ${old} any more: deploy/lab/src/observability.mjs replaces it`);
        text = text.replaceAll(old, ours);
    }
    return text;
}

/// The folder with what Alertmanager shows the vendors, made at random once.
function vendorSecrets() {
    const folder = at("alertmanager", "secrets");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const secrets = { "pagerduty-routing-key": () => randomBytes(16).toString("hex"), "jira-user": () => "alerts@tradewind.example", "jira-token": () => randomBytes(24).toString("hex") };
    for (const [name, make] of Object.entries(secrets)) if (found(join(folder, name)) === null) writeWhole(join(folder, name), make());
    return folder;
}

const answers = async (listener, path) => (await fetch(`http://${listeners[listener].address}:${listeners[listener].port}${path}`, { signal: AbortSignal.timeout(2000) })).ok;
