// The command line.
import { Refusal, at, authority, home, kubeconfig } from "./lab.mjs";
import { say } from "./progress.mjs";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { kubectlProgram } from "./kubectl.mjs";
import { tool } from "./run.mjs";
import { alone } from "./processes.mjs";
import { checkRights } from "./requirements.mjs";

const usage = `usage: deploy/lab/lab COMMAND
  up [cluster]       bring everything up, or only the cluster; again: what is missing
  down [--forget]    take down all that was put up; with --forget its data, too
  open               say where shop, back office, Argo CD, Prometheus are
  status             say what runs
  test [DRILL...]    run the drills
  kubectl ...        kubectl with the lab's cluster
  rollouts ...       the command line of Argo Rollouts
  argocd ...         the command line of Argo CD
TRADEWIND_LAB chooses its home (/var/lib/tradewind/lab), KUBECONFIG another cluster than its own.`;

const commands = {
    up: async ([part]) => {
        const { up } = await import("./up.mjs");
        checkRights();
        return alone(() => up({ onlyCluster: part === "cluster" }));
    },
    down: async (args) => {
        const { down } = await import("./down.mjs");
        checkRights();
        if (!existsSync(home)) return say(`There is no lab in ${home}.`);
        return alone(() => down({ forget: args.includes("--forget") }));
    },
    open: async () => (await import("./status.mjs")).open(),
    status: async () => ((await (await import("./status.mjs")).status()) ? 0 : 1),
    test: async (args) => (await import("../drills/main.mjs")).test(args),
    kubectl: async (args) => hand(await kubectlProgram(), [`--kubeconfig=${kubeconfig}`, `--cache-dir=${at("kubectl-cache")}`, ...args]),
    rollouts: async (args) => hand(await tool("argo-rollouts", "kubectl-argo-rollouts"), [`--kubeconfig=${kubeconfig}`, ...args]),
    argocd: async (args) => hand(await tool("argo-cd", "argocd"), [`--server=${authority("argocdServer")}`, "--plaintext", ...args]),
};

// Another program with the user's terminal; gives its exit code.
const hand = (program, args) => spawnSync(program, args, { stdio: "inherit" }).status ?? 1;

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, name ?? "")) {
    console.error(name ? `What is ${name}?\n${usage}` : usage);
    process.exit(2);
}
try {
    process.exitCode = Number((await commands[name](args)) ?? 0);
} catch (error) {
    console.error(error instanceof Refusal ? `\n${error.message}` : `\n${error.stack}`);
    process.exitCode = 1;
}
