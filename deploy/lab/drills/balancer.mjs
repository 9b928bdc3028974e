// A plain load balancer whose targets are the pods, for what happens without the gateway: it learns of pods every 10 seconds, as a cloud's controller does, asks none of them how it is, and tries nothing twice.
import { createServer, request } from "node:http";
import { get, list } from "../src/kubectl.mjs";
import { release } from "../src/lab.mjs";

const everySeconds = 10;

// Starts it on the loopback; gives its address and how to end it.
export async function startBalancer() {
    const targets = { api: [], storefront: [] };
    const learn = async () => {
        for (const part of Object.keys(targets)) {
            const { spec } = await get("service", `${release}-${part}-active`);
            const labels = Object.entries(spec.selector).map(([key, value]) => `${key}=${value}`).join(",");
            const ready = (await list("pod", { labels })).filter(({ status }) => status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"));
            targets[part] = ready.map(({ status }) => status.podIP);
        }
    };
    await learn();
    const timer = setInterval(() => learn().catch(() => {}), everySeconds * 1000);
    let turn = 0;
    const server = createServer((asked, answer) => {
        const hosts = targets[/^\/(store|admin|sandbox|webhooks|docs)\b/.test(asked.url) ? "api" : "storefront"];
        const host = hosts[turn++ % Math.max(1, hosts.length)];
        const fail = () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end());
        if (!host) return fail();
        const onward = request({ host, port: 8080, path: asked.url, method: asked.method, headers: asked.headers, timeout: 10_000 }, (got) => {
            answer.writeHead(got.statusCode, got.rawHeaders);
            got.on("error", fail);
            got.pipe(answer);
        });
        onward.on("error", fail);
        onward.on("timeout", () => onward.destroy());
        asked.pipe(onward);
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    const end = () => {
        clearInterval(timer);
        server.closeAllConnections();
        return new Promise((closed) => server.close(closed));
    };
    return { address: `127.0.0.1:${server.address().port}`, end };
}
