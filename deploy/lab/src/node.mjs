// The node: containerd, runc and CNI of the distribution, kubelet and kube-proxy from their modules.
import { existsSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import { Refusal, at, bridge, forget, found, kubeconfig, listeners, networks, node, remember, state, writeWhole } from "./lab.mjs";
import { importPause, pauseImage } from "./images.mjs";
import { key } from "./keys.mjs";
import { waitFor } from "./kubectl.mjs";
import { hasKubernetesChains, podNetwork } from "./network.mjs";
import { start } from "./processes.mjs";
import { run, tool, until } from "./run.mjs";

// How `ctr` finds the lab's containerd and the cluster's part of it.
export const containerd = ["--address", at("containerd.sock"), "--namespace", "k8s.io"];

// Folders that containerd, CNI and kubelet use wherever else they are told to be.
const fixedFolders = ["/run/containerd", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers", "/usr/libexec/kubernetes"];

export async function startContainerd() {
    if (!state().folders) remember({ folders: fixedFolders.filter((path) => !existsSync(path)) });
    writeWhole(at("cni", "configuration", "10-pods.conflist"), JSON.stringify(podNetworkSettings(), null, 4));
    writeWhole(at("containerd.toml"), containerdSettings());
    await start("containerd", "containerd", ["--config", at("containerd.toml")], { reads: [at("containerd.toml")], outlived: true });
    await until("containerd answers", () => run("ctr", [...containerd, "version"]), { seconds: 30 });
    await importPause();
}

export async function startKubelet() {
    if (!state().chains && (await hasKubernetesChains())) {
        throw new Refusal("Another Kubernetes has its iptables chains (KUBE-...) on this machine: two on one machine disturb each other. Stop it first, or use its cluster by KUBECONFIG.");
    }
    remember({ chains: true });
    const resolver = at("resolv.conf");
    writeWhole(resolver, "", 0o644);
    writeWhole(at("kubelet.json"), JSON.stringify(kubeletSettings(resolver), null, 4));
    const rest = [`--kubeconfig=${kubeconfig}`, `--root-dir=${at("kubelet")}`, `--hostname-override=${node}`, `--node-ip=${bridge.address}`];
    await start("kubelet", await tool("kubernetes", "kubelet"), [`--config=${at("kubelet.json")}`, ...rest], { reads: [at("kubelet.json")] });
}

export async function startProxy() {
    writeWhole(at("kube-proxy.json"), JSON.stringify(proxySettings(), null, 4));
    await start("kube-proxy", await tool("kubernetes", "kube-proxy"), [`--config=${at("kube-proxy.json")}`], { reads: [at("kube-proxy.json")] });
}

// Ready, and heard of since the kubelet was started: what the cluster remembers of a node from before says nothing.
export async function nodeIsReady() {
    const since = Date.now();
    await waitFor("lease", node, ({ spec }) => new Date(spec.renewTime).getTime() > since - 10_000, { from: "kube-node-lease", seconds: 60 });
    await waitFor("node", node, ({ status }) => status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"), { from: "default", seconds: 90 });
}

// Each pod has a cable of its own to the node, and every packet goes through the node: no bridge between pods past which kube-proxy's answers would slip.
function podNetworkSettings() {
    return {
        cniVersion: "0.4.0",
        name: podNetwork,
        plugins: [{ type: "ptp", ipMasq: false, ipam: { type: "host-local", dataDir: at("cni", "addresses"), ranges: [[{ subnet: networks.pods }]], routes: [{ dst: "0.0.0.0/0" }] } }],
    };
}

// Without a right to lower OOM scores (a container's root) runc would refuse; network namespaces lie below the lab's home, where `down` finds them.
function containerdSettings() {
    return `version = 2
root = "${at("containerd", "root")}"
state = "${at("containerd", "state")}"
[grpc]
  address = "${at("containerd.sock")}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${at("containerd", "opt")}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "${at("containerd", "runc")}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${at("cni", "configuration")}"
`;
}

function kubeletSettings(resolver) {
    return {
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        address: listeners.kubelet.address,
        port: listeners.kubelet.port,
        authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: key("authority.crt") } },
        authorization: { mode: "Webhook" },
        containerRuntimeEndpoint: `unix://${at("containerd.sock")}`,
        clusterDNS: [bridge.address],
        clusterDomain: "cluster.local",
        resolvConf: resolver,
        podLogsDir: at("pod-logs"),
        volumePluginDir: at("kubelet", "volume-plugins"),
        // The machine may be a container itself: no hierarchy of cgroups by quality of service, no eviction, swap or not.
        cgroupDriver: "cgroupfs",
        cgroupsPerQOS: false,
        enforceNodeAllocatable: [],
        failSwapOn: false,
        localStorageCapacityIsolation: false,
        evictionHard: {},
        // Images that releases leave behind are kept: going back must find them.
        imageGCHighThresholdPercent: 100,
        // A Secret or ConfigMap that was changed reaches its pods within seconds.
        syncFrequency: "10s",
        serializeImagePulls: false,
    };
}

function proxySettings() {
    return {
        apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        clientConnection: { kubeconfig },
        mode: "iptables",
        iptables: { masqueradeAll: true, localhostNodePorts: false, minSyncPeriod: "1s", syncPeriod: "30s" },
        conntrack: { maxPerCore: 0 },
        hostnameOverride: node,
        clusterCIDR: networks.pods,
        healthzBindAddress: "127.0.0.1:10256",
        metricsBindAddress: "127.0.0.1:10249",
        nodePortAddresses: ["127.0.0.0/8"],
    };
}

// Pids of containers, by containerd's own notes: for the case that it cannot be asked any more.
export function listContainerPids() {
    const tasks = at("containerd", "state", "io.containerd.runtime.v2.task", "k8s.io");
    if (!existsSync(tasks)) return [];
    return readdirSync(tasks).map((id) => Number(found(`${tasks}/${id}/init.pid`))).filter(Boolean);
}

// Takes away the folders that were not there before the lab, and the cgroups of containers that are gone.
export function removeFolders() {
    for (const path of state().folders ?? []) rmSync(path, { recursive: true, force: true });
    forget("folders");
    const hierarchies = ["/sys/fs/cgroup", ...readdirSync("/sys/fs/cgroup").map((name) => `/sys/fs/cgroup/${name}`)];
    for (const hierarchy of hierarchies) removeCgroup(`${hierarchy}/k8s.io`);
}

// A cgroup that has processes cannot be removed: it is somebody's, and stays.
function removeCgroup(path) {
    if (!existsSync(path)) return;
    for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeCgroup(`${path}/${entry.name}`);
    try {
        rmdirSync(path);
    } catch (error) {
        if (error.code !== "EBUSY") throw error;
    }
}
