// What the lab's parts have to know of each other: where things lie, what they are called, who listens where.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

// The clone this tool is part of.
export const clone = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

// The lab's home, outside the clone: everything it writes lies below it.
export const home = resolve(process.env.TRADEWIND_LAB || "/var/lib/tradewind/lab");

// A path below the lab's home.
export const at = (...parts) => join(home, ...parts);

// Whether the cluster is somebody else's: then no control plane, node, CoreDNS and metrics-server of our own are started.
export const given = process.env.KUBECONFIG ? resolve(process.env.KUBECONFIG.split(":")[0]) : null;

// The kubeconfig of the cluster in use, with every right.
export const kubeconfig = given ?? at("admin.kubeconfig");

// The lab's own bridge. Pods reach the machine's services on its address; nobody outside the machine can.
export const bridge = { name: "twlab0", address: "10.99.0.1", prefix: 24 };

export const networks = { pods: "10.244.0.0/24", services: "10.96.0.0/16" };

export const node = "lab";
export const namespace = "shop";
export const release = "tradewind";

const loopback = "127.0.0.1";

// Who listens where.
export const listeners = {
    shop: { address: loopback, port: 8080 },
    gatewayOperations: { address: bridge.address, port: 8082 },
    gatewayInside: { address: bridge.address, port: 8090 },
    etcd: { address: loopback, port: 2379 },
    etcdPeers: { address: loopback, port: 2380 },
    apiserver: { address: loopback, port: 6443 },
    kubelet: { address: bridge.address, port: 10250 },
    dns: { address: bridge.address, port: 53 },
    metricsServer: { address: bridge.address, port: 4443 },
    registry: { address: loopback, port: 5000 },
    writer: { address: bridge.address, port: 5433 },
    replica: { address: bridge.address, port: 5434 },
    redis: { address: bridge.address, port: 6380 },
    prometheus: { address: loopback, port: 9090 },
    alertmanager: { address: loopback, port: 9093 },
    pager: { address: loopback, port: 9094 },
    argocdRepoServer: { address: loopback, port: 8084 },
    argocdRepoServerMetrics: { address: loopback, port: 9098 },
    argocdServerMetrics: { address: loopback, port: 9099 },
    argocdRedis: { address: loopback, port: 6381 },
    argocdServer: { address: loopback, port: 8083 },
    rolloutsMetrics: { address: loopback, port: 9095 },
    rolloutsHealth: { address: loopback, port: 9096 },
    argocdMetrics: { address: loopback, port: 9097 },
};

// `10.99.0.1:5433` for `writer`.
export const authority = (name) => `${listeners[name].address}:${listeners[name].port}`;

// The registry, as images are named in the cluster.
export const registry = authority("registry");

// The repository that Argo CD watches.
export const repository = at("git", "tradewind.git");

// Something the user has to mend, said in a sentence or two; printed without a stack.
export class Refusal extends Error {}

// Writes a file so that it is there whole or not at all, for our eyes only unless `mode` says otherwise.
export function writeWhole(path, text, mode = 0o600) {
    mkdirSync(dirname(path), { recursive: true });
    const fresh = `${path}.${process.pid}.new`;
    writeFileSync(fresh, text, { mode });
    renameSync(fresh, path);
}

const stateFile = at("state.json");

// What the tool noted of things it put outside its home (bridge, settings of the kernel, chains): `{}` before anything was.
export function state() {
    try {
        return JSON.parse(readFileSync(stateFile, "utf8"));
    } catch (error) {
        if (error.code === "ENOENT") return {};
        throw error;
    }
}

// Notes something, before it is done: what is noted and not there costs nothing, what is there and not noted is never taken down.
export function remember(changes) {
    writeWhole(stateFile, `${JSON.stringify({ ...state(), ...changes }, null, 4)}\n`);
}

// Forgets a note once its thing is gone.
export function forget(...keys) {
    const left = state();
    for (const key of keys) delete left[key];
    if (Object.keys(left).length === 0) rmSync(stateFile, { force: true });
    else writeWhole(stateFile, `${JSON.stringify(left, null, 4)}\n`);
}

// A name made of what a path may not hold, or null.
export const found = (path) => {
    try {
        return readFileSync(path, "utf8");
    } catch {
        return null;
    }
};
