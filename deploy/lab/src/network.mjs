// What the lab puts into the machine's network: a bridge, two settings of the kernel, the chains of kube-proxy and kubelet. And the look at who listens where.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { at, bridge, forget, home, remember, state } from "./lab.mjs";
import { run } from "./run.mjs";

// How the pods' network is called: files of CNI outside the lab's home bear this name.
export const podNetwork = "tradewind-lab";
const cniResults = "/var/lib/cni/results";

// Packets between pods go through the node, and are looked at by kube-proxy's rules there.
const settings = { "/proc/sys/net/ipv4/ip_forward": "1" };

// Makes the bridge whose address stands for the node; pods find the machine's services there.
export async function makeBridge() {
    if (!(await hasLink(bridge.name))) {
        remember({ bridge: bridge.name });
        await run("ip", ["link", "add", bridge.name, "type", "bridge"]);
    }
    await run("ip", ["address", "replace", `${bridge.address}/${bridge.prefix}`, "dev", bridge.name]);
    await run("ip", ["link", "set", bridge.name, "up"]);
    changeSettings();
}

function changeSettings() {
    const before = state().settings ?? {};
    for (const [path, wanted] of Object.entries(settings)) {
        const present = readFileSync(path, "utf8").trim();
        if (present === wanted) continue;
        remember({ settings: { ...before, [path]: present } });
        writeFileSync(path, wanted);
    }
}

// Takes back what `makeBridge` did, if it was the lab that did it.
export async function removeBridge() {
    const made = state();
    if (made.bridge && (await hasLink(made.bridge))) await run("ip", ["link", "delete", made.bridge]);
    for (const [path, before] of Object.entries(made.settings ?? {})) writeFileSync(path, before);
    forget("bridge", "settings");
}

const hasLink = (name) => existsSync(`/sys/class/net/${name}`);

const isChainOfKubernetes = (name) => /^KUBE-/.test(name);

// Whether some Kubernetes has its chains on this machine.
export async function hasKubernetesChains() {
    return /^:KUBE-/m.test(await run("iptables-save"));
}

// Takes out kube-proxy's and kubelet's chains and the rules that lead to them, and touches no other rule.
export async function removeChains() {
    if (!state().chains) return;
    for (const family of ["iptables", "ip6tables"]) {
        const saved = await run(`${family}-save`, [], { fails: true });
        const undo = saved.code === 0 ? withoutKubernetes(saved.output) : "";
        if (undo) await run(`${family}-restore`, ["--noflush"], { input: undo });
    }
    forget("chains");
}

// What iptables-restore has to be told so that no chain KUBE-… of a saved table is left. Empty if there is none.
export function withoutKubernetes(saved) {
    const tables = saved.split(/^(?=\*)/m).filter((text) => text.startsWith("*"));
    return tables.map(undoOf).join("");
}

function undoOf(table) {
    const lines = table.split("\n");
    const chains = lines.filter((line) => line.startsWith(":")).map((line) => line.slice(1).split(" ")[0]).filter(isChainOfKubernetes);
    if (chains.length === 0) return "";
    const rules = lines.filter((line) => line.startsWith("-A ") && !isChainOfKubernetes(line.split(" ")[1]) && /-[jg] KUBE-/.test(line)).map((line) => line.replace(/^-A/, "-D"));
    // A chain that is named with a colon is emptied; it can be deleted once nothing leads to it.
    return [lines[0], ...chains.map((name) => `:${name} - [0:0]`), ...rules, ...chains.map((name) => `-X ${name}`), "COMMIT", ""].join("\n");
}

// Removes the notes that CNI keeps of pods whose network namespaces lay below the lab's home.
export function removeCniNotes() {
    const notes = existsSync(cniResults) ? readdirSync(cniResults).map((entry) => `${cniResults}/${entry}`) : [];
    for (const path of notes) if (readFileSync(path, "utf8").includes(`"${home}/`)) rmSync(path);
    rmSync(at("cni"), { recursive: true, force: true });
}

// Everybody who listens: `{address, port, pid, program}`.
export async function listListeners() {
    const printed = await run("ss", ["-Hltnup"]);
    return printed.split("\n").filter(Boolean).map(listenerOf);
}

// One line of `ss -Hltnup`.
export function listenerOf(line) {
    const [, , , , local] = line.split(/\s+/);
    const cut = local.lastIndexOf(":");
    const [, program, pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(line) ?? [];
    return { address: local.slice(0, cut).replace(/^\[|\]$|%.*$/g, ""), port: Number(local.slice(cut + 1)), program, pid: pid ? Number(pid) : null };
}

// Whether an address is reached from this machine only.
export const isInside = (address) => /^127\./.test(address) || address === "::1" || address === "::ffff:127.0.0.1" || address === bridge.address;
