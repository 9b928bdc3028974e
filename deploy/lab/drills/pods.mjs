// Pods that serve, and how many there are.
import { list } from "../src/kubectl.mjs";
import { until } from "../src/run.mjs";

export const isReady = ({ status }) => status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");

// The active pods of a part that are ready and are to stay.
export const podsOf = async (part) => (await list("pod", { labels: `app.kubernetes.io/component=${part},release-role=active` })).filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp);

// Waits until there are as many as before, and notes how long that took.
export async function areBack(drill, part, count, since) {
    await until(`${count} pods of ${part}`, async () => (await podsOf(part)).length >= count, { seconds: 90, every: 0.5 });
    drill.figure(`seconds until there are ${count} pods of ${part} again`, (Date.now() - since) / 1000, "s");
}
