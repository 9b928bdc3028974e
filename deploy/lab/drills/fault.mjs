// What faults have in common: shoppers come, something breaks for a while, and is mended.
import { isRunning, restart, stop } from "../src/processes.mjs";
import { sleep } from "../src/run.mjs";
import { checkBooks, tellUsers } from "./books.mjs";

// `breaks` does it, `mends` undoes it after `lasting` seconds (also if the drill is cut short); nobody may notice, or no more than `mostFailed` requests.
export async function fault(drill, { breaks, mends, lasting = 30, after = 20, mostFailed = 0 }) {
    const load = await drill.load({ seconds: lasting + after + 300 });
    await sleep(10);
    if (mends) drill.restore("what was broken", mends);
    await breaks();
    if (mends) {
        await sleep(lasting);
        await mends();
    }
    await sleep(after);
    const report = await load.stop();
    tellUsers(drill, report);
    drill.holds(mostFailed === 0 ? "no request failed" : `no more than ${mostFailed} requests failed`, report.failures <= mostFailed, `${report.failures} of ${report.requests}`);
    await checkBooks(drill, report);
}

// A program of the lab that is stopped for a while.
export async function programGone(drill, name, options = {}) {
    await fault(drill, {
        ...options,
        breaks: async () => {
            await stop(name);
            drill.mark(`${name} stopped`);
        },
        mends: async () => {
            if (isRunning(name)) return;
            await restart(name);
            drill.mark(`${name} started`);
            await options.isBack?.();
        },
    });
}
