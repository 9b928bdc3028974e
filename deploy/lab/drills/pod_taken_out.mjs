// Pods are taken out in order, as when a node is emptied or fewer are needed.
import { kubectl } from "../src/kubectl.mjs";
import { sleep } from "../src/run.mjs";
import { fault } from "./fault.mjs";
import { areBack, podsOf } from "./pods.mjs";

export const title = "Pods taken out";
export const seconds = 500;

export const run = (drill) =>
    fault(drill, {
        breaks: async () => {
            for (const part of ["api", "storefront", "api", "storefront"]) {
                const pods = await podsOf(part);
                const { name, namespace } = pods[0].metadata;
                await kubectl(["delete", "pod", name, `--namespace=${namespace}`, "--wait=false"]);
                const at = Date.now();
                drill.mark(`${part} pod taken out`, at);
                await sleep(1);
                await areBack(drill, part, pods.length, at);
                await sleep(15);
            }
        },
    });
