// The road of a release: the repository that Argo CD watches, Argo CD, Argo Rollouts. Their controllers run beside the cluster, and are the real ones.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { at, authority, clone, found, home, kubeconfig, listeners, registry, repository, writeWhole } from "./lab.mjs";
import { commit, head, prepareRepository, refresh, workingCopy } from "./git.mjs";
import { secret } from "./keys.mjs";
import { access, apply, kubectl, makeNamespace, note, waitFor } from "./kubectl.mjs";
import { start } from "./processes.mjs";
import { mediaClaim } from "./shop.mjs";
import { run, tool, until } from "./run.mjs";

const environment = "lab";
export const argocd = "argocd";
export const application = `shop-${environment}`;
const folder = join("deploy/argocd/environments", environment);

// The kinds that Argo CD and Argo Rollouts bring into a cluster.
export async function applyKinds() {
    const kinds = { "argo-rollouts": ["rollout", "analysis-run", "analysis-template", "cluster-analysis-template", "experiment"], "argo-cd": ["application", "appproject", "applicationset"] };
    const texts = [];
    for (const [program, names] of Object.entries(kinds)) {
        for (const name of names) {
            await note("crd", crdOf(name));
            texts.push(readFileSync(await tool(program, `${name}-crd.yaml`), "utf8"));
        }
    }
    await apply(texts.join("\n---\n"));
    await kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd/rollouts.argoproj.io", "crd/applications.argoproj.io", "crd/appprojects.argoproj.io"]);
}

const crdOf = (file) => `${file.replaceAll("-", "")}s.argoproj.io`;

export async function startRollouts() {
    await makeNamespace("argo-rollouts");
    const { rolloutsMetrics, rolloutsHealth } = listeners;
    const args = [`--kubeconfig=${kubeconfig}`, "--namespace=argo-rollouts", "--leader-elect=false", `--metricsPort=${rolloutsMetrics.port}`, `--healthzPort=${rolloutsHealth.port}`];
    await start("argo-rollouts", await tool("argo-rollouts", "rollouts-controller"), args);
    await until("Argo Rollouts is well", async () => (await fetch(`http://${authority("rolloutsHealth")}/healthz`)).ok, { seconds: 60 });
}

// Argo CD's own settings and the cluster it may write to, then its three programs.
export async function startArgoCd() {
    await makeNamespace(argocd);
    await apply(readFileSync(join(clone, "deploy/argocd/settings/argocd.yaml"), "utf8"));
    await apply([await clusterSecret(), redisSecret()], { into: argocd });
    await startRepoServer();
    const shared = [`--kubeconfig=${kubeconfig}`, `--namespace=${argocd}`, `--repo-server=${authority("argocdRepoServer")}`, `--redis=${authority("argocdRedis")}`];
    await start("argocd-application-controller", await tool("argo-cd", "argocd-application-controller"), [...shared, `--metrics-port=${listeners.argocdMetrics.port}`, "--app-resync=5", "--app-resync-jitter=0"], { env: environmentOf() });
    await until("Argo CD's controller is well", async () => (await fetch(`http://${authority("argocdMetrics")}/healthz`)).ok, { seconds: 60 });
    const { argocdServer, argocdServerMetrics } = listeners;
    const serving = [`--address=${argocdServer.address}`, `--port=${argocdServer.port}`, `--metrics-address=${argocdServerMetrics.address}`, `--metrics-port=${argocdServerMetrics.port}`, "--disable-auth", "--insecure"];
    await start("argocd-server", await tool("argo-cd", "argocd-server"), [...shared, ...serving], { env: environmentOf() });
    await until("Argo CD's server answers", async () => (await fetch(`http://${authority("argocdServer")}/healthz`)).ok, { seconds: 60 });
}

async function startRepoServer() {
    const { argocdRepoServer, argocdRepoServerMetrics } = listeners;
    const args = [
        `--address=${argocdRepoServer.address}`,
        `--port=${argocdRepoServer.port}`,
        `--metrics-address=${argocdRepoServerMetrics.address}`,
        `--metrics-port=${argocdRepoServerMetrics.port}`,
        `--redis=${authority("argocdRedis")}`,
        "--revision-cache-expiration=3s",
        "--disable-tls",
    ];
    const helm = dirname(await tool("helm"));
    await start("argocd-repo-server", await tool("argo-cd", "argocd-repo-server"), args, { env: { ...environmentOf(), PATH: `${helm}:${process.env.PATH}` } });
    await until("Argo CD's repo server is well", async () => (await fetch(`http://${authority("argocdRepoServerMetrics")}/healthz`)).ok, { seconds: 60 });
}

// What Argo CD's programs take from variables: their own home, so that nothing of the user's settings reaches them, and plain speech between each other on the loopback.
function environmentOf() {
    const own = at("argocd");
    for (const name of ["home", "tmp", "gpg/keys", "gpg/source", "ssh", "tls"]) mkdirSync(join(own, name), { recursive: true, mode: 0o700 });
    return {
        HOME: join(own, "home"),
        TMPDIR: join(own, "tmp"),
        KUBECONFIG: kubeconfig,
        REDIS_PASSWORD: secret("argocd-redis"),
        ARGOCD_GPG_ENABLED: "false",
        ARGOCD_SSH_DATA_PATH: join(own, "ssh"),
        ARGOCD_TLS_DATA_PATH: join(own, "tls"),
        ARGOCD_REPO_SERVER_DISABLE_TLS: "true",
        ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_PLAINTEXT: "true",
        ARGOCD_SERVER_REPO_SERVER_PLAINTEXT: "true",
        ARGOCD_RECONCILIATION_TIMEOUT: "5s",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "safe.directory",
        GIT_CONFIG_VALUE_0: "*",
    };
}

// Argo CD's server outside a cluster has to be told of it.
async function clusterSecret() {
    const { server, config } = await access();
    return {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "cluster-lab", labels: { "argocd.argoproj.io/secret-type": "cluster" } },
        stringData: { name: "lab", server, config: JSON.stringify(config) },
    };
}

const redisSecret = () => ({ apiVersion: "v1", kind: "Secret", metadata: { name: "argocd-redis" }, stringData: { auth: secret("argocd-redis") } });

// Puts into the lab's repository what only this machine knows, and which image runs first; later ones come by `deploy/pipeline/promote lab`.
export async function prepareRelease(digests) {
    await prepareRepository();
    const machine = join(workingCopy, folder, "machine.yaml");
    const text = machineValues(digests.gateway);
    if (found(machine) !== text) {
        writeWhole(machine, text, 0o644);
        await commit("The lab's machine: its gateway's image, its pictures");
    }
    if (existsSync(join(workingCopy, folder, "image.yaml"))) return "promoted before";
    await promote(`${registry}/tradewind@${digests.tradewind}`);
    return "promoted the first release";
}

// Promotes an image by the pipeline's own script, which commits to the lab's repository; gives the commit.
export async function promote(image) {
    const author = { GIT_AUTHOR_NAME: "Tradewind lab", GIT_AUTHOR_EMAIL: "lab@tradewind.example", GIT_COMMITTER_NAME: "Tradewind lab", GIT_COMMITTER_EMAIL: "lab@tradewind.example" };
    await run(join(clone, "deploy/pipeline/promote"), [environment, image], { cwd: clone, env: { ...author, TRADEWIND_LAB: home } });
    await refresh();
    return head();
}

const machineValues = (gatewayDigest) => `# What only the lab's machine knows. Written by deploy/lab.
gateway:
  image:
    repository: ${registry}/haproxy
    digest: ${gatewayDigest}
storefront:
  mediaClaim: ${mediaClaim}
`;

// Applies what a person applies once per environment: projects and the root Application.
export async function applyRoot() {
    const { server } = await access();
    const settings = `repository=file://${repository},cluster=${server},argocdCluster=${server}`;
    const objects = await run(join(clone, "deploy/argocd/objects"), [environment, "--set", settings]);
    await apply(objects);
}

// Waits until Argo CD has brought the shop out as Git says.
export async function shopIsSynced({ seconds = 300 } = {}) {
    const { status } = await waitFor("application", application, ({ status }) => status?.sync?.status === "Synced" && status?.health?.status === "Healthy", { from: argocd, seconds, every: 1 });
    return `Synced, Healthy at ${status.sync.revision.slice(0, 7)}`;
}
