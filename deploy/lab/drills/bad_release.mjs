// What bad releases have in common: promoted like any other, found out, given up, told to people; Git stays ahead until a commit takes it back.
import { listMessages } from "../src/alerts.mjs";
import { list } from "../src/kubectl.mjs";
import { sleep, until } from "../src/run.mjs";
import { checkBooks, tellUsers } from "./books.mjs";
import { Watch, imageInGit, release, takeBack, takeBackIfGivenUp } from "./release.mjs";

// `isFound`: what tells that it was found out, of what is seen. `tells`: the alerts that have to arrive, such as `["page", "ReleaseAborted"]`. `limit`: seconds until it is found out, at most.
export async function badRelease(drill, fault, { isFound = (seen) => Object.values(seen.parts).some(({ aborted }) => aborted), tells = [["page", "ReleaseAborted"]], limit = 420, mostFailed = 0 } = {}) {
    const load = await drill.load({ seconds: limit + 900 });
    const watch = await Watch.begin(drill);
    await sleep(10);
    const released = await release(drill, `bad-${fault}`, { fault });
    const { digest, at } = released;
    drill.restore("the bad release", () => takeBackIfGivenUp(drill, released));
    if (drill.without.has("analysis")) await sleep(150);
    else await watch.until("the bad release is found out", isFound, limit);
    const found = Date.now();
    const shown = watch.find("switch", { since: at });
    if (!drill.without.has("analysis")) drill.figure("seconds from promotion to detection", (found - at) / 1000, "s");
    await tellWhatWasSeen(drill, watch, { shown, found });
    if (!drill.without.has("analysis")) await checkAlerts(drill, tells, at);
    await checkGit(drill, digest);
    const { revision, at: reverted } = await takeBack(drill, released.revision);
    await watch.settled(revision, 600);
    drill.figure("seconds from the revert commit to Synced and Healthy", (Date.now() - reverted) / 1000, "s");
    await sleep(5);
    const report = await load.stop();
    tellUsers(drill, report);
    drill.holds(mostFailed === 0 ? "no user saw it" : `users saw it for a moment: no more than ${mostFailed} failed requests`, report.failures <= mostFailed, `${report.failures} of ${report.requests} requests failed`);
    await checkBooks(drill, report);
    return report;
}

// Whether it ever was in front of users, and how soon no longer.
async function tellWhatWasSeen(drill, watch, { shown, found }) {
    if (!shown) return drill.figure("in front of users", "never");
    if (drill.without.has("analysis")) return drill.figure("in front of users", "until a person takes it back");
    const back = await until("traffic is back on the old pods", () => watch.find("return", { since: shown.at }), { seconds: 60 });
    drill.figure("seconds in front of users", (back.at - shown.at) / 1000, "s");
    drill.figure("seconds from detection to return", Math.max(0, (back.at - found) / 1000), "s");
}

async function checkAlerts(drill, tells, since) {
    for (const [kind, alert] of tells) {
        const message = await until(`${kind} ${alert}`, () => arrived(kind, alert, since), { seconds: 400, every: 1 }).catch(() => null);
        if (drill.holds(`${kind} ${alert} arrived`, message)) drill.figure(`seconds from promotion to the ${kind}`, (new Date(message.at).getTime() - since) / 1000, "s");
    }
}

const arrived = (kind, alert, since) => listMessages({ since, kind }).find((message) => message.accepted && JSON.stringify(message.body).includes(alert));

// By design Git names the bad release until a commit takes it back; what serves is the old one.
async function checkGit(drill, digest) {
    const inGit = await imageInGit();
    drill.holds("Git is ahead: it names the bad release", inGit === digest, inGit);
    if (drill.without.has("analysis")) return;
    const serving = await list("pod", { labels: "release-role=active" });
    const isBad = serving.filter(({ spec }) => spec.containers.some(({ image }) => image.endsWith(digest)));
    drill.holds("what serves is the old release", serving.length > 0 && isBad.length === 0, `${serving.length} active pods, ${isBad.length} of the bad release`);
}
