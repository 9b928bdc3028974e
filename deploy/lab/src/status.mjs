// What runs of the lab, and where people find it.
import { Refusal, authority, home, kubeconfig, repository } from "./lab.mjs";
import { isRunning, listProcesses, logOf, pidOf } from "./processes.mjs";
import { say } from "./progress.mjs";
import { get } from "./kubectl.mjs";
import { application, argocd } from "./gitops.mjs";
import { publicUrl, staffLink } from "./shop.mjs";

// Says what runs; true if all of it does.
export async function status() {
    const names = listProcesses();
    if (names.length === 0) {
        say(`The lab in ${home} is down.`);
        return false;
    }
    for (const name of names) say(`  ${name.padEnd(34)} ${isRunning(name) ? `pid ${pidOf(name)}` : `stopped; its last words: ${logOf(name)}`}`);
    if (names.every(isRunning)) {
        const { status: { sync, health } = {} } = (await get("application", application, { from: argocd }).catch(() => null)) ?? {};
        say(`  The shop: ${sync?.status ?? "not there"}, ${health?.status ?? "unknown"}`);
    }
    return names.every(isRunning);
}

// Says where everything is.
export async function open() {
    if (!isRunning("argocd-server")) throw new Refusal("The lab is not up: make lab");
    const link = await staffLink();
    const rows = [
        ["Shop", publicUrl],
        ["Back office", `${publicUrl}/backoffice`],
        // Its pages are built with npm and are no part of the Go module: the server has its API, and the command line shows the same.
        ["Argo CD", `deploy/lab/lab argocd app get ${application}   (its API: http://${authority("argocdServer")}/api/v1/applications; without its pages)`],
        ["Argo Rollouts", "deploy/lab/lab rollouts get rollout tradewind-api -n shop --watch"],
        ["Prometheus", `http://${authority("prometheus")}`],
        ["Alertmanager", `http://${authority("alertmanager")}`],
        ["API's description", `${publicUrl}/docs`],
        ["Repository", `git clone ${repository}`],
        ["Cluster", `deploy/lab/lab kubectl get pods -n shop   (KUBECONFIG=${kubeconfig})`],
    ];
    for (const [what, where] of rows) say(`  ${what.padEnd(18)} ${where}`);
    say();
    say(link);
}
