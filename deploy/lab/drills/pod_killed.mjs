// Pods end: one is taken out in order, as when a node is emptied; of each part one is killed without a word, as when the machine takes its memory.
import { kubectl, list } from "../src/kubectl.mjs";
import { containerd } from "../src/node.mjs";
import { run as execute, sleep, until } from "../src/run.mjs";
import { given } from "../src/lab.mjs";
import { fault } from "./fault.mjs";

export const title = "Pods taken out and killed";
export const seconds = 600;

const isReady = ({ status }) => status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
const podsOf = async (part) => (await list("pod", { labels: `app.kubernetes.io/component=${part},release-role=active` })).filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp);

export async function run(drill) {
    await fault(drill, {
        // What is in a killed process is lost, and no client's POST is sent twice behind its back.
        mostFailed: 20,
        breaks: async () => {
            for (const part of ["api", "storefront"]) {
                const [pod] = await podsOf(part);
                await kubectl(["delete", "pod", pod.metadata.name, `--namespace=${pod.metadata.namespace}`, "--wait=false"]);
                drill.mark(`${part} pod taken out`);
                await sleep(30);
            }
            for (const part of ["api", "storefront"]) {
                const pods = await podsOf(part);
                await killContainer(pods[0]);
                drill.mark(`${part} pod killed`);
                const at = Date.now();
                await until(`${part} as many as before`, async () => (await podsOf(part)).length >= pods.length, { seconds: 60 });
                drill.figure(`seconds until a killed ${part} pod is ready again`, (Date.now() - at) / 1000, "s");
                await sleep(15);
            }
        },
    });
}

// Kills the program in a pod from outside, with SIGKILL.
async function killContainer({ metadata, status }) {
    const id = status.containerStatuses[0].containerID.split("//")[1];
    if (given) return kubectl(["delete", "pod", metadata.name, `--namespace=${metadata.namespace}`, "--grace-period=0", "--force"]);
    return execute("ctr", [...containerd, "tasks", "kill", "--signal", "SIGKILL", id]);
}
