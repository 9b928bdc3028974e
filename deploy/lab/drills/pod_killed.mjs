// Programs in pods are killed without a word, as when the machine takes its memory.
import { given } from "../src/lab.mjs";
import { kubectl } from "../src/kubectl.mjs";
import { containerd } from "../src/node.mjs";
import { run as execute, sleep } from "../src/run.mjs";
import { fault } from "./fault.mjs";
import { areBack, podsOf } from "./pods.mjs";

export const title = "Pods killed";
export const seconds = 500;

export const run = (drill) =>
    fault(drill, {
        // What a killed process was about to answer is lost where it may not be asked for twice: what changes something.
        mostFailed: 8,
        breaks: async () => {
            for (const part of ["api", "storefront", "api", "storefront"]) {
                const pods = await podsOf(part);
                const at = Date.now();
                await killProgram(pods[0]);
                drill.mark(`${part} pod killed`, at);
                await sleep(3);
                await areBack(drill, part, pods.length, at);
                await sleep(15);
            }
        },
    });

// Ends the program in a pod from outside, by SIGKILL.
async function killProgram({ metadata, status }) {
    if (given) return kubectl(["delete", "pod", metadata.name, `--namespace=${metadata.namespace}`, "--grace-period=0", "--force"]);
    const id = status.containerStatuses[0].containerID.split("//")[1];
    return execute("ctr", [...containerd, "tasks", "kill", "--signal", "SIGKILL", id]);
}
