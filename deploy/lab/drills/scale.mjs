// More shoppers, more pods, by the metrics the kubelet really measures; and fewer again when they are gone.
import { get } from "../src/kubectl.mjs";
import { release } from "../src/lab.mjs";
import { until } from "../src/run.mjs";
import { tellUsers } from "./books.mjs";
import { visitAsMuchAsCanBe } from "./load.mjs";

export const title = "Autoscaling goes up under load and down after it";
export const seconds = 1800;

const scaler = async (part) => {
    const { spec, status } = await get("horizontalpodautoscaler", `${release}-${part}`);
    return { least: spec.minReplicas, most: spec.maxReplicas, is: status.currentReplicas ?? 0, wants: status.desiredReplicas ?? 0, cpu: status.currentMetrics?.[0]?.resource?.current?.averageUtilization };
};

const grownFrom = (now) => (now.is > now.least ? now : null);

export async function run(drill) {
    const quiet = async () => (await Promise.all(["api", "storefront"].map(scaler))).every(({ least, is, cpu }) => is === least && cpu !== undefined);
    await until("as few pods as may be", quiet, { seconds: 700, every: 5 });
    drill.figure("pods of the API before", (await scaler("api")).is);
    const began = Date.now();
    const visiting = visitAsMuchAsCanBe({ seconds: 120, atOnce: 6 });
    drill.mark("more shoppers", began);
    const more = await until("more pods", async () => grownFrom(await scaler("api")), { seconds: 110, every: 2 });
    drill.mark("more pods");
    drill.figure("seconds until there are more pods", (Date.now() - began) / 1000, "s");
    drill.figure("processor use of a pod by then, of what it asks for", more.cpu, "%");
    const report = (drill.report = await visiting);
    const grown = await scaler("api");
    drill.mark("fewer shoppers");
    drill.figure("pods of the API under load", grown.is);
    const ended = Date.now();
    tellUsers(drill, report);
    drill.holds("no request failed while pods came", report.failures === 0, `${report.failures} of ${report.requests}`);
    await until("fewer pods", async () => (await scaler("api")).is < grown.is, { seconds: 500, every: 5 });
    drill.figure("seconds until there are fewer pods", (Date.now() - ended) / 1000, "s");
    await until("as few as may be", quiet, { seconds: 600, every: 5 });
    drill.figure("seconds until there are as few as may be", (Date.now() - ended) / 1000, "s");
    drill.holds("down again", true, (await scaler("api")).is);
}
