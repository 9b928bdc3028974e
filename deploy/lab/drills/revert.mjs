// A commit that takes back another brings the old version back, also across a migration: the schema stays, and the old version serves on it.
import { sql } from "../src/database.mjs";
import { list } from "../src/kubectl.mjs";
import { sleep } from "../src/run.mjs";
import { checkBooks, tellUsers } from "./books.mjs";
import { Watch, imageInGit, release, takeBack } from "./release.mjs";

export const title = "Revert commit, across a migration";
export const seconds = 2400;

const migrations = async () => Number((await sql("select count(*) from information_schema.columns where table_schema not in ('pg_catalog', 'information_schema')")).trim());

export async function run(drill) {
    const load = await drill.load({ seconds: seconds - 100 });
    const watch = await Watch.begin(drill);
    const [before, imageBefore] = [await migrations(), await imageInGit()];
    const { revision, at } = await release(drill, "expand", { fault: "expand" });
    await watch.settled(revision);
    drill.figure("seconds from promotion to Synced and Healthy", (Date.now() - at) / 1000, "s");
    const after = await migrations();
    drill.holds("the release brought a migration", after > before, `${before} columns before, ${after} after`);
    await sleep(15);
    const { revision: back, at: reverted } = await takeBack(drill, revision);
    await watch.settled(back);
    drill.figure("seconds from the revert commit to Synced and Healthy", (Date.now() - reverted) / 1000, "s");
    const switched = watch.find("return", { since: reverted, part: "api" });
    if (switched) drill.figure("seconds from the revert commit to the API's switch", (switched.at - reverted) / 1000, "s");
    const pods = await list("pod", { labels: "release-role=active" });
    drill.holds("the old version serves", pods.length > 0 && pods.every(({ spec }) => spec.containers.some(({ image }) => image.endsWith(imageBefore))), `${pods.length} active pods`);
    drill.holds("the schema stays as it is", (await migrations()) === after);
    const report = await load.stop();
    tellUsers(drill, report);
    drill.holds("no request failed", report.failures === 0, `${report.failures} of ${report.requests}`);
    await checkBooks(drill, report);
}
