import { get, waitFor } from "../src/kubectl.mjs";
import { node } from "../src/lab.mjs";
import { isRunning, kill, restart } from "../src/processes.mjs";
import { fault } from "./fault.mjs";

export const title = "The node's kubelet killed and started again";
export const seconds = 400;

const isReady = ({ status }) => status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True");

export async function run(drill) {
    await fault(drill, {
        lasting: 10,
        breaks: async () => {
            kill("kubelet", "SIGKILL");
            drill.mark("kubelet killed");
        },
        mends: async () => {
            if (isRunning("kubelet")) return;
            await restart("kubelet");
            drill.mark("kubelet started");
            await waitFor("node", node, isReady, { seconds: 60 });
        },
    });
    drill.holds("the node is ready", isReady(await get("node", node)));
}
