// What somebody changes in the cluster by hand is put back as Git has it.
import { get, kubectl } from "../src/kubectl.mjs";
import { namespace, release } from "../src/lab.mjs";
import { until } from "../src/run.mjs";
import { fault } from "./fault.mjs";

export const title = "A manual change to the cluster is healed";
export const seconds = 400;

export async function run(drill) {
    const worker = `${release}-worker`;
    const wanted = (await get("deployment", worker)).spec.replicas;
    const budget = `${release}-api`;
    await fault(drill, {
        breaks: async () => {
            await kubectl(["scale", `deployment/${worker}`, "--replicas=0", `--namespace=${namespace}`]);
            await kubectl(["delete", "poddisruptionbudget", budget, `--namespace=${namespace}`]);
            drill.mark("workers scaled to none, a disruption budget deleted");
            const at = Date.now();
            const isHealed = async () => {
                const { spec, status } = await get("deployment", worker);
                return spec.replicas === wanted && (status.readyReplicas ?? 0) === wanted && (await get("poddisruptionbudget", budget));
            };
            const healed = await until("healed", isHealed, { seconds: 180, every: 1 }).catch(() => null);
            drill.mark("healed");
            if (drill.holds("all is as Git has it", healed)) drill.figure("seconds until it is healed", (Date.now() - at) / 1000, "s");
        },
    });
}
