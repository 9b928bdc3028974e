// metrics-server beside the cluster: what pods and node use, for `kubectl top` and for what scales by load.
import { at, authority, bridge, kubeconfig, listeners } from "./lab.mjs";
import { start } from "./processes.mjs";
import { apply, kubectl } from "./kubectl.mjs";
import { tool, until } from "./run.mjs";

/// Starts it and makes it a part of the API; returns when the API has the node's figures.
export async function startMetricsServer() {
    await start("metrics-server", await tool("metrics-server"), [
        `--kubeconfig=${kubeconfig}`,
        `--authentication-kubeconfig=${kubeconfig}`,
        `--authorization-kubeconfig=${kubeconfig}`,
        `--bind-address=${listeners.metricsServer.address}`,
        `--secure-port=${listeners.metricsServer.port}`,
        `--cert-dir=${at("metrics-server")}`,
        // The kubelet signed its certificate itself, and both are this machine.
        "--kubelet-insecure-tls",
        "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=10s",
        "--kubelet-request-timeout=8s",
    ]);
    const metadata = { name: "metrics-server", namespace: "kube-system" };
    await apply([
        { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "https", port: 443, targetPort: listeners.metricsServer.port }] } },
        {
            apiVersion: "discovery.k8s.io/v1",
            kind: "EndpointSlice",
            metadata: { ...metadata, labels: { "kubernetes.io/service-name": "metrics-server" } },
            addressType: "IPv4",
            endpoints: [{ addresses: [bridge.address], conditions: { ready: true } }],
            ports: [{ name: "https", port: listeners.metricsServer.port, protocol: "TCP" }],
        },
        {
            apiVersion: "apiregistration.k8s.io/v1",
            kind: "APIService",
            metadata: { name: "v1beta1.metrics.k8s.io" },
            spec: {
                service: { name: "metrics-server", namespace: "kube-system", port: 443 },
                group: "metrics.k8s.io",
                version: "v1beta1",
                insecureSkipTLSVerify: true,
                groupPriorityMinimum: 100,
                versionPriority: 100,
            },
        },
    ]);
    await until(`metrics-server (${authority("metricsServer")}) knows the node`, async () => JSON.parse(await kubectl(["get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"])).items.length > 0, { seconds: 90, every: 1 });
}
