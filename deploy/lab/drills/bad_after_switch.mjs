// What a preview does not show is found out in front of users: the analysis after the switch takes it back by itself.
import { badRelease } from "./bad_release.mjs";
import { isSettled, look, override } from "./release.mjs";
import { until } from "../src/run.mjs";

export const title = "Bad release: 1 % server errors that the preview did not show";
export const seconds = 2400;

export async function run(drill) {
    if (!drill.without.has("analysis")) {
        const parts = ["api", "storefront", "backoffice"].map((part) => `${part}: {before: []}`).join(", ");
        const revision = await override(drill, "no analysis of previews", `analysis: {${parts}}\n`);
        await until("released without analysis of previews", async () => isSettled(await look(), revision), { seconds: 900, every: 2 });
    }
    // 1 % of what comes in two minutes, and twice that for chance.
    await badRelease(drill, "errors", { mostFailed: Math.ceil((drill.fixedRate ?? 200) * 120 * 0.02) });
}
