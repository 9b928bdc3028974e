// The control plane: etcd of the distribution, Kubernetes from its modules.
import { mkdirSync } from "node:fs";
import { at, authority, bridge, kubeconfig, listeners, networks } from "./lab.mjs";
import { key } from "./keys.mjs";
import { kubectl } from "./kubectl.mjs";
import { start } from "./processes.mjs";
import { tool, until } from "./run.mjs";

const etcd = `http://${authority("etcd")}`;

export async function startEtcd() {
    mkdirSync(at("etcd"), { recursive: true, mode: 0o700 });
    const addresses = ["--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", `http://${authority("etcdPeers")}`];
    await start("etcd", "etcd", ["--data-dir", at("etcd"), "--unsafe-no-fsync=true", "--log-level=warn", ...addresses]);
    await until("etcd answers", async () => (await fetch(`${etcd}/health`)).ok, { seconds: 30 });
}

export async function startApiServer() {
    await start("kube-apiserver", await tool("kubernetes", "kube-apiserver"), [
        `--etcd-servers=${etcd}`,
        `--bind-address=${listeners.apiserver.address}`,
        `--secure-port=${listeners.apiserver.port}`,
        `--advertise-address=${bridge.address}`,
        `--tls-cert-file=${key("api-server.crt")}`,
        `--tls-private-key-file=${key("api-server.key")}`,
        `--client-ca-file=${key("authority.crt")}`,
        `--token-auth-file=${key("tokens.csv")}`,
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        `--kubelet-client-certificate=${key("kubelet-client.crt")}`,
        `--kubelet-client-key=${key("kubelet-client.key")}`,
        "--kubelet-preferred-address-types=InternalIP",
        `--service-account-key-file=${key("accounts.pub")}`,
        `--service-account-signing-key-file=${key("accounts.key")}`,
        "--service-account-issuer=https://kubernetes.default.svc",
        `--service-cluster-ip-range=${networks.services}`,
        "--endpoint-reconciler-type=lease",
        // metrics-server is a part of the API.
        `--requestheader-client-ca-file=${key("authority.crt")}`,
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        `--proxy-client-cert-file=${key("front-proxy.crt")}`,
        `--proxy-client-key-file=${key("front-proxy.key")}`,
        "--enable-aggregator-routing=true",
    ]);
    await until("the API server is ready", () => kubectl(["get", "--raw", "/readyz"]), { seconds: 120 });
}

export async function startControllers() {
    await start("kube-controller-manager", await tool("kubernetes", "kube-controller-manager"), [
        `--kubeconfig=${kubeconfig}`,
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials",
        `--service-account-private-key-file=${key("accounts.key")}`,
        `--root-ca-file=${key("authority.crt")}`,
        "--allocate-node-cidrs=true",
        `--cluster-cidr=${networks.pods}`,
        "--node-cidr-mask-size=24",
        // A node that is silent for a moment on a busy machine has not died.
        "--node-monitor-grace-period=120s",
        // The autoscaler looks as often as the metrics are new.
        "--horizontal-pod-autoscaler-sync-period=15s",
        "--horizontal-pod-autoscaler-downscale-stabilization=60s",
    ]);
    await start("kube-scheduler", await tool("kubernetes", "kube-scheduler"), [`--kubeconfig=${kubeconfig}`, "--bind-address=127.0.0.1", "--leader-elect=false"]);
}
