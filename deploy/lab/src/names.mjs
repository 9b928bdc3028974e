// CoreDNS on the bridge: pods ask it for everything, and it knows the cluster's names only.
import { authority, at, kubeconfig, listeners, writeWhole } from "./lab.mjs";
import { start } from "./processes.mjs";
import { tool, until } from "./run.mjs";
import { Resolver } from "node:dns/promises";

export async function startNames() {
    const settings = at("Corefile");
    // An answer lives 5 s, as in any cluster: the gateway asks anew every second.
    writeWhole(settings, `cluster.local:${listeners.dns.port} in-addr.arpa:${listeners.dns.port} {
    bind ${listeners.dns.address}
    errors
    kubernetes cluster.local in-addr.arpa {
        kubeconfig ${kubeconfig}
        ttl 5
    }
}
`);
    await start("coredns", await tool("coredns"), ["-conf", settings], { reads: [settings] });
    const resolver = new Resolver({ timeout: 1000, tries: 1 });
    resolver.setServers([authority("dns")]);
    await until("CoreDNS knows the cluster", () => resolver.resolve4("kubernetes.default.svc.cluster.local"), { seconds: 30 });
}
