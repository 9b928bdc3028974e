// What has to hold before anything is touched, each told in words if it does not.
import { readFileSync, statfsSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { clone, given, home, listeners, Refusal } from "./lab.mjs";
import { isInside, listListeners } from "./network.mjs";
import { isRunning, listProcesses, pidOf } from "./processes.mjs";
import { run } from "./run.mjs";

const wanted = { memoryGiB: 4, freeGiB: 8 };
// Sockets lie below the home, and the path of a socket holds 107 bytes.
const longestHome = 70;

// What every command needs that changes something.
export function checkRights({ platform = process.platform, uid = process.getuid?.() } = {}) {
    if (platform !== "linux") throw new Refusal("The lab needs Linux: it runs containers in namespaces of the kernel. A virtual machine will do.");
    if (uid !== 0) throw new Refusal("The lab needs root, for namespaces, a bridge and mounts: sudo make lab");
}

export function checkMachine() {
    if (home.length > longestHome) throw new Refusal(`${home} is too long a path for sockets: set TRADEWIND_LAB to one of at most ${longestHome} characters.`);
    mkdirSync(home, { recursive: true });
    checkMemory(readFileSync("/proc/meminfo", "utf8"), listProcesses().some(isRunning));
    checkDisk(statfsSync(home));
}

// Programs of the lab that run already have their memory already.
export function checkMemory(meminfo, isUp) {
    const available = Number(/^MemAvailable:\s+(\d+)/m.exec(meminfo)[1]) / 1024 / 1024;
    if (!isUp && available < wanted.memoryGiB) throw new Refusal(`Too little memory: ${available.toFixed(1)} GiB are free, the lab needs ${wanted.memoryGiB}.`);
}

export function checkDisk({ bavail, bsize }) {
    const free = (bavail * bsize) / 2 ** 30;
    if (free < wanted.freeGiB) throw new Refusal(`Too little room: ${free.toFixed(1)} GiB are free at ${home}, the lab needs ${wanted.freeGiB}. TRADEWIND_LAB chooses another place.`);
}

export async function checkPackages() {
    await run(join(clone, ".ci/tools"), ["lab"]).catch((error) => {
        throw new Refusal(error.message.replace(/^.*ended with \d+:\n/, ""));
    });
}

// Listeners that a given cluster does without.
const ownCluster = ["etcd", "etcdPeers", "apiserver", "kubelet", "dns", "metricsServer"];

export async function checkPorts() {
    const ours = new Set(listProcesses().map(pidOf).filter(Boolean));
    const needed = Object.fromEntries(Object.entries(listeners).filter(([name]) => !(given && ownCluster.includes(name))));
    refuseTaken(needed, (await listListeners()).filter((one) => !isOurs(one, ours)));
}

// Refuses if somebody listens where the lab has to, or on that port of every address.
export function refuseTaken(needed, present) {
    for (const [name, { address, port }] of Object.entries(needed)) {
        const taken = present.find((one) => one.port === port && [address, "0.0.0.0", "*", "::"].includes(one.address));
        if (taken) throw new Refusal(`Port ${port} of ${address} (${name}) is taken by ${taken.program ?? "somebody"}${taken.pid ? `, pid ${taken.pid}` : ""}. Stop that first.`);
    }
}

// A process of the lab, or a child of one, or a container of its node.
function isOurs({ pid }, ours) {
    if (!pid) return false;
    if (ours.has(pid)) return true;
    const cgroup = existsSync(`/proc/${pid}/cgroup`) ? readFileSync(`/proc/${pid}/cgroup`, "utf8") : "";
    return cgroup.includes("/k8s.io/") || /TRADEWIND_LAB_PROCESS=/.test(readFileSync(`/proc/${pid}/environ`, "utf8"));
}

// Nobody of the lab may listen where other machines reach it.
export async function checkListeners() {
    const ours = new Set(listProcesses().map(pidOf).filter(Boolean));
    const open = (await listListeners()).filter((one) => !isInside(one.address) && isOurs(one, ours));
    if (open.length > 0) throw new Error(`these listen beyond the loopback and the bridge: ${open.map((one) => `${one.program} (pid ${one.pid}) on ${one.address}:${one.port}`).join(", ")}`);
    return "loopback and bridge only";
}
