// Takes down what the lab put up: by what was recorded of it, and nothing else.
import { existsSync, rmSync } from "node:fs";
import { at, found, home, state } from "./lab.mjs";
import { unmake } from "./kubectl.mjs";
import { containerd, listContainerPids, removeFolders } from "./node.mjs";
import { removeBridge, removeChains, removeCniNotes } from "./network.mjs";
import { forgetProcess, isRunning, listProcesses, marked, restart, stop } from "./processes.mjs";
import { say, step, total } from "./progress.mjs";
import { run, until } from "./run.mjs";

// `forget`: the lab's data goes, too.
export async function down({ forget = false } = {}) {
    say(`Taking down the lab in ${home}:`);
    await step("Whoever starts pods or releases", stopStarters);
    if (state().made) await step("What was made in the given cluster", unmake);
    await step("Pods", stopPods);
    await step("Programs", stopPrograms);
    await step("Mounts and namespaces", unmountAll);
    await step("Chains of kube-proxy and kubelet", removeChains);
    await step("Notes of the pods' network", removeCniNotes);
    await step("Folders and cgroups", removeFolders);
    await step("Bridge, settings of the kernel", removeBridge);
    if (forget) await step("Data", () => rmSync(home, { recursive: true, force: true }));
    const left = listProcesses().filter(isRunning);
    if (left.length > 0) throw new Error(`these still run: ${left.join(", ")}`);
    say(`The lab is down after ${total()}.${forget ? "" : ` Its data stays in ${home}; \`make lab\` goes on with it, \`deploy/lab/lab down --forget\` deletes it.`}`);
}

async function stopStarters() {
    for (const name of ["argocd-server", "argocd-application-controller", "argo-rollouts", "kube-controller-manager", "kube-scheduler", "kubelet"]) await stop(name);
}

// Pods end by containerd, which takes their network apart, too; if it does not run any more, it is started for that once more. What it cannot end is ended by its own notes of it.
async function stopPods() {
    if (!existsSync(at("containerd", "state"))) return;
    await stopContainers().catch((error) => say(`(containerd: ${error.message.split("\n")[0]})`));
    for (const pid of listContainerPids()) if (isContainer(pid)) process.kill(pid, "SIGKILL");
}

async function stopContainers() {
    if (!isRunning("containerd") && listContainerPids().length > 0) await restart("containerd");
    if (!isRunning("containerd")) return;
    await until("containerd answers", () => run("ctr", [...containerd, "version"]), { seconds: 20 });
    const lines = async (...args) => (await run("ctr", [...containerd, ...args, "--quiet"])).split("\n").filter(Boolean);
    const tasks = await lines("tasks", "list");
    await Promise.all(tasks.map((id) => run("ctr", [...containerd, "tasks", "kill", "--signal", "SIGTERM", id], { fails: true })));
    const areGone = async () => (await run("ctr", [...containerd, "tasks", "list"])).split("\n").every((line) => !line.includes("RUNNING"));
    await until("", areGone, { seconds: 5 }).catch(() => {});
    for (const id of await lines("tasks", "list")) await run("ctr", [...containerd, "tasks", "delete", "--force", id], { fails: true });
    for (const id of await lines("containers", "list")) await run("ctr", [...containerd, "containers", "delete", id], { fails: true });
}

const isContainer = (pid) => (found(`/proc/${pid}/cgroup`) ?? "").includes("/k8s.io/");

async function stopPrograms() {
    const names = listProcesses().reverse();
    for (const name of names) {
        await stop(name);
        forgetProcess(name);
    }
    // What they started and did not end, such as containerd's shims.
    for (const pid of marked()) process.kill(pid, "SIGKILL");
    await until("all have ended", () => marked().length === 0, { seconds: 10 });
    return `${names.length} stopped`;
}

// Everything that is mounted below the home, the innermost first: volumes of pods, file systems of containers, network namespaces.
async function unmountAll() {
    const mounts = mountsBelow(home, found("/proc/self/mountinfo"));
    for (const path of mounts) await run("umount", ["--lazy", path]);
    const namespaces = at("containerd", "state", "netns");
    if (existsSync(namespaces)) rmSync(namespaces, { recursive: true, force: true });
    // Pods that ended are no state to go on from; the cluster's memory is etcd's.
    rmSync(at("containerd", "state"), { recursive: true, force: true });
    rmSync(at("kubelet", "pods"), { recursive: true, force: true });
    return mounts.length > 0 ? `${mounts.length} taken apart` : "";
}

// Mount points below a folder, as /proc/self/mountinfo lists them, the last mounted first.
export function mountsBelow(folder, mountinfo) {
    const unescape = (path) => path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
    const paths = mountinfo.split("\n").filter(Boolean).map((line) => unescape(line.split(" ")[4]));
    return paths.filter((path) => path.startsWith(`${folder}/`)).reverse();
}
