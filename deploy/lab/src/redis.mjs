// The two Redis servers: the shop's, on the bridge, and Argo CD's, on the loopback. Both only in memory, both with a password.
import { authority, listeners, writeWhole, at } from "./lab.mjs";
import { secret } from "./keys.mjs";
import { start } from "./processes.mjs";
import { run, until } from "./run.mjs";

export const startShopRedis = () => startRedis("redis", "redis");
export const startArgoRedis = () => startRedis("argocd-redis", "argocdRedis");

// The address of the shop's Redis.
export const redisUrl = () => `redis://:${secret("redis")}@${authority("redis")}`;

async function startRedis(name, listener) {
    const { address, port } = listeners[listener];
    const settings = at("redis", `${name}.conf`);
    writeWhole(settings, `bind ${address}
port ${port}
requirepass ${secret(name)}
save ""
appendonly no
maxmemory 256mb
maxmemory-policy allkeys-lru
`);
    // Debian's package brings the user; it alone and root may read the password.
    const user = "redis";
    await run("chown", [`${user}:${user}`, settings]);
    await start(name, "redis-server", [settings], { user, cwd: "/", reads: [settings] });
    await until(`${name} answers`, async () => (await run("redis-cli", ["-h", address, "-p", String(port), "ping"], { env: { REDISCLI_AUTH: secret(name) } })).includes("PONG"), { seconds: 20 });
    return `${address}:${port}`;
}
