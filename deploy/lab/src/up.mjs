// Brings the lab up, step by step. Every step looks at what is there and does what is missing, so that a second `up` takes seconds and a broken one goes on where it was.
import { given, home, kubeconfig } from "./lab.mjs";
import { startApiServer, startControllers, startEtcd } from "./control_plane.mjs";
import { startReplica, startWriter } from "./database.mjs";
import { applyKinds, applyRoot, prepareRelease, shopIsSynced, startArgoCd, startRollouts } from "./gitops.mjs";
import { buildOurs, pushGateway, pushOurs, startRegistry } from "./images.mjs";
import { makeKeys } from "./keys.mjs";
import { startMetricsServer } from "./metrics_server.mjs";
import { startNames } from "./names.mjs";
import { makeBridge } from "./network.mjs";
import { nodeIsReady, startContainerd, startKubelet, startProxy } from "./node.mjs";
import { startAlerting, startMonitoring } from "./observability.mjs";
import { say, step, total } from "./progress.mjs";
import { startArgoRedis, startShopRedis } from "./redis.mjs";
import { checkListeners, checkMachine, checkPackages, checkPorts } from "./requirements.mjs";
import { tool, until } from "./run.mjs";
import { fillShop, prepareNamespace, shopAnswers } from "./shop.mjs";

export async function up({ onlyCluster = false } = {}) {
    say(`The lab in ${home}:`);
    await step("Memory, room", checkMachine);
    await step("Packages of the distribution", checkPackages);
    await step("Ports", checkPorts);
    await buildTools({ onlyCluster });
    await step("Keys and passwords", makeKeys);
    await step("Bridge", makeBridge);
    if (given) say(`  The cluster of ${given} is used.`);
    else await startCluster();
    if (onlyCluster) return say(`The cluster is up after ${total()}: KUBECONFIG=${kubeconfig}`);
    await startData();
    const digests = await startImages();
    await step("Namespace, secrets, pictures", prepareNamespace);
    await step("Database: migrated and filled", fillShop);
    await startRoad(digests);
    await step("Nothing listens beyond this machine", checkListeners);
    say(`The lab is up after ${total()}. \`make lab-open\` says where everything is.`);
}

// Compiling comes first and apart: minutes the first time, nothing after that.
async function buildTools({ onlyCluster }) {
    const names = [];
    if (!given) names.push("kubernetes", "coredns", "pause");
    if (!given && !onlyCluster) names.push("metrics-server");
    if (!onlyCluster) names.push("argo-rollouts", "argo-cd", "helm", "prometheus", "alertmanager");
    const programs = { kubernetes: "kubelet", "argo-rollouts": "rollouts-controller", "argo-cd": "argocd" };
    for (const name of names) await step(`Program: ${name}`, async () => void (await tool(name, programs[name] ?? name)));
    if (!onlyCluster) await step("Program: the shop's image", () => buildOurs());
}

async function startCluster() {
    await step("etcd", startEtcd);
    await step("API server", startApiServer);
    await step("Controllers, scheduler", startControllers);
    await step("containerd, pause image", startContainerd);
    await step("kubelet", startKubelet);
    await step("kube-proxy", startProxy);
    await step("Node is ready", nodeIsReady);
    await step("CoreDNS", async () => void (await startNames()));
}

async function startData() {
    await step("PostgreSQL writer", startWriter);
    await step("PostgreSQL replica", startReplica);
    await step("Redis", startShopRedis);
}

async function startImages() {
    await step("Registry", startRegistry);
    const gateway = await step("Image of the gateway", pushGateway);
    const tradewind = await step("Image of the shop", () => pushOurs());
    return { gateway, tradewind };
}

async function startRoad(digests) {
    await step("Kinds of Argo CD and Argo Rollouts", applyKinds);
    await step("Alertmanager, pager, tickets", async () => void (await startAlerting()));
    await step("Prometheus", async () => void (await startMonitoring()));
    if (!given) await step("metrics-server", async () => void (await startMetricsServer()));
    await step("Argo Rollouts", startRollouts);
    await step("Redis of Argo CD", startArgoRedis);
    await step("Argo CD", startArgoCd);
    await step("Repository, first release", () => prepareRelease(digests));
    await step("Projects and root Application", applyRoot);
    await step("The shop, by Argo CD", shopIsSynced);
    await step("Shoppers are served", () => until("the shop", shopAnswers, { seconds: 60, every: 1 }));
}
