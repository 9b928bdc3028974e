// What Git may not do: commits that bring a right for the whole cluster, a Secret, an object to another namespace; an Application that names no project. Argo CD refuses each.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { authority, home, namespace, repository } from "../src/lab.mjs";
import { applyRoot, argocd } from "../src/gitops.mjs";
import { apply, get, kubectl, remove } from "../src/kubectl.mjs";
import { run as execute, until } from "../src/run.mjs";

export const title = "Argo CD's projects: what a commit may not bring";
export const seconds = 240;

const branch = "drill-projects";
const refused = {
    right: { object: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", metadata: { name: "drill-right" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" } } },
    secret: { object: { apiVersion: "v1", kind: "Secret", metadata: { name: "drill-secret" } } },
    elsewhere: { object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "drill-elsewhere", namespace: "kube-system" } } },
    nobody: { project: "default", object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "drill-nobody" } } },
};
// What is allowed comes, or the refusals would prove nothing.
const allowed = { object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "drill-allowed" } } };

export async function run(drill) {
    const cases = { ...refused, allowed };
    drill.restore("its branch, its Applications and what came", async () => {
        for (const name of Object.keys(cases)) await remove("application", `drill-${name}`, { from: argocd });
        for (const { object } of Object.values(cases)) await kubectl(["delete", object.kind, object.metadata.name, `--namespace=${object.metadata.namespace ?? namespace}`, "--ignore-not-found"]);
        await execute("git", ["-C", repository, "branch", "--quiet", "-D", branch], { fails: true });
    });
    if (drill.without.has("projects")) {
        drill.restore("the project", applyRoot);
        await kubectl(["patch", "appproject", "shop-lab", `--namespace=${argocd}`, "--type=merge", "--patch", '{"spec":{"namespaceResourceWhitelist":[{"group":"*","kind":"*"}]}}']);
    }
    await publish(cases);
    for (const [name, { project = "shop-lab" }] of Object.entries(cases)) await apply(applicationOf(name, project));
    const arrived = await until("what is allowed comes", () => get("configmap", "drill-allowed"), { seconds: 60, every: 1 });
    drill.holds("a ConfigMap comes", Boolean(arrived));
    for (const [name, { object }] of Object.entries(refused)) {
        const words = await until(`Argo CD answers to ${name}`, () => answerTo(name), { seconds: 30, every: 1 }).catch((error) => error.message);
        const there = await kubectl(["get", object.kind, object.metadata.name, `--namespace=${object.metadata.namespace ?? namespace}`, "--ignore-not-found", "--output=name"]);
        drill.holds(`${object.kind} ${object.metadata.name} is refused`, there.trim() === "", words);
    }
}

async function publish(cases) {
    const folder = mkdtempSync(join(home, ".projects-"));
    const git = (...args) => execute("git", ["-C", folder, "-c", "user.name=Drill", "-c", "user.email=drill@tradewind.example", ...args]);
    try {
        await execute("git", ["init", "--quiet", "--initial-branch", branch, folder]);
        for (const [name, { object }] of Object.entries(cases)) {
            mkdirSync(join(folder, name));
            writeFileSync(join(folder, name, "object.json"), JSON.stringify(object));
        }
        await git("add", ".");
        await git("commit", "--quiet", "--message", "What may come and what may not");
        await git("push", "--quiet", "--force", repository, branch);
    } finally {
        rmSync(folder, { recursive: true });
    }
}

const applicationOf = (name, project) => ({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name: `drill-${name}`, namespace: argocd },
    spec: {
        project,
        source: { repoURL: `file://${repository}`, path: name, targetRevision: branch },
        destination: { server: `https://${authority("apiserver")}`, namespace },
        syncPolicy: { automated: {} },
    },
});

// Argo CD's own words of refusal, once it has some.
async function answerTo(name) {
    const { status } = (await get("application", `drill-${name}`, { from: argocd })) ?? {};
    const words = [...(status?.conditions ?? []), ...(status?.operationState?.syncResult?.resources ?? [])].map(({ message }) => message).join("; ");
    return /not permitted|do not match/.test(words) && words;
}
