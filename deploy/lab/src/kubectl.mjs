// The cluster, by kubectl.
import { Refusal, at, forget, given, kubeconfig, namespace, remember, state } from "./lab.mjs";
import { say } from "./progress.mjs";
import { run, tool, until } from "./run.mjs";

// The path of kubectl: with a given cluster the one that is installed, if there is one; else that of the lab's Kubernetes.
export async function kubectlProgram() {
    const installed = given && (await run("sh", ["-c", "command -v kubectl"], { fails: true })).output.trim();
    return installed || tool("kubernetes", "kubectl");
}

// Runs kubectl with every right and gives what it printed; options are those of `run`.
export async function kubectl(args, options = {}) {
    return run(await kubectlProgram(), [`--kubeconfig=${kubeconfig}`, `--cache-dir=${at("kubectl-cache")}`, ...args], options);
}

// Applies objects (YAML text, or an object or a list of them) as the lab's.
export async function apply(objects, { into } = {}) {
    const input = typeof objects === "string" ? objects : JSON.stringify({ apiVersion: "v1", kind: "List", items: [objects].flat() });
    return kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager=tradewind-lab", ...(into ? [`--namespace=${into}`] : []), "-f", "-"], { input });
}

// One object, or null if there is none of that name. `get('rollout', 'tradewind-api')`
export async function get(kind, name, { from = namespace } = {}) {
    const printed = await kubectl(["get", kind, name, `--namespace=${from}`, "--ignore-not-found", "-o", "json"]);
    return printed.trim() ? JSON.parse(printed) : null;
}

// All objects of a kind, chosen by labels: `list('pod', {labels: 'app.kubernetes.io/component=api'})`
export async function list(kind, { from = namespace, labels = "" } = {}) {
    return JSON.parse(await kubectl(["get", kind, `--namespace=${from}`, `--selector=${labels}`, "-o", "json"])).items;
}

// Waits until an object is as `isSo` wants it, and gives it.
export async function waitFor(kind, name, isSo, { from = namespace, seconds = 120, every = 0.5 } = {}) {
    return until(`${kind} ${name}`, async () => {
        const object = await get(kind, name, { from });
        return object && isSo(object) ? object : null;
    }, { seconds, every });
}

// Deletes an object and waits until it is gone; it need not be there.
export async function remove(kind, name, { from = namespace } = {}) {
    return kubectl(["delete", kind, name, `--namespace=${from}`, "--ignore-not-found"]);
}

// Notes what is about to be made in a cluster that is somebody else's, if it is new there: `down` takes it out again. The lab's own cluster goes as a whole.
export async function note(kind, name) {
    if (!given || (await kubectl(["get", kind, name, "--ignore-not-found", "-o", "name"])).trim()) return;
    remember({ given, made: [...(state().made ?? []), `${kind}/${name}`] });
}

// Takes out of a given cluster what the lab made in it: namespaces first, since what is in them holds on to the rest.
export async function unmake() {
    const { given: file, made = [] } = state();
    const program = await kubectlProgram();
    const there = (args, options) => run(program, [`--kubeconfig=${file}`, ...args], options);
    const answer = await there(["get", "--raw", "/readyz", "--request-timeout=10s"], { fails: true });
    if (answer.code === 0) {
        const namespaces = made.filter((object) => object.startsWith("namespace/"));
        for (const object of namespaces) await releaseJobs(there, object.slice("namespace/".length));
        for (const object of new Set([...namespaces, ...made])) await there(["delete", object, "--ignore-not-found", "--timeout=120s"]);
    } else say(`(the cluster of ${file} does not answer: what was made in it stays in it)`);
    forget("given", "made");
}

// Jobs that are hooks of a sync wait for Argo CD to let them go, and that is stopped by now.
async function releaseJobs(there, name) {
    const jobs = (await there(["get", "jobs", `--namespace=${name}`, "-o", "name"])).split("\n").filter(Boolean);
    for (const job of jobs) await there(["patch", job, `--namespace=${name}`, "--type=merge", "--patch", '{"metadata":{"finalizers":null}}']);
}

// A namespace, made if it is not there; whoever made it may have given it labels.
export async function makeNamespace(name) {
    if (await get("namespace", name)) return;
    await note("namespace", name);
    await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

// How the cluster in use is reached, by its kubeconfig: its address, and what Argo CD has to know to come in.
export async function access() {
    const { clusters, users } = JSON.parse(await kubectl(["config", "view", "--minify", "--flatten", "--raw", "-o", "json"]));
    const { server, "certificate-authority-data": caData, "insecure-skip-tls-verify": insecure = false } = clusters[0].cluster;
    const { token: bearerToken, "client-certificate-data": certData, "client-key-data": keyData, exec } = users[0].user;
    if (exec) throw new Refusal(`The user of ${kubeconfig} signs in by a program (${exec.command}): the lab needs one with a token or a certificate.`);
    return { server, config: { bearerToken, tlsClientConfig: { insecure, caData, certData, keyData } } };
}
