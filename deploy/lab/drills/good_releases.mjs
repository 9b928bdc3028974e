// Good releases, one after the other, while shoppers browse and buy.
import { checkBooks, tellUsers } from "./books.mjs";
import { Watch, release, takeBackIfGivenUp } from "./release.mjs";

export const title = "Good releases in a row";
export const seconds = 4200;

export async function run(drill) {
    const load = await drill.load({ seconds: seconds - 200 });
    const watch = await Watch.begin(drill);
    const took = [];
    for (let number = 1; number <= drill.times; number += 1) {
        const released = await release(drill, `good-${number}`);
        drill.restore(`release ${number}, if it was given up`, () => takeBackIfGivenUp(drill, released));
        await watch.settled(released.revision);
        took.push((Date.now() - released.at) / 1000);
        drill.figure(`release ${number}: commit to Synced and Healthy`, took.at(-1), "s");
    }
    const report = await load.stop();
    drill.holds(`${drill.times} releases in a row promoted, none given up`, took.length === drill.times && !watch.find("abort"));
    tellUsers(drill, report);
    drill.holds("no request failed", report.failures === 0, `${report.failures} of ${report.requests}`);
    await checkBooks(drill, report);
}
