import { badRelease } from "./bad_release.mjs";

export const title = "Bad release: failing migration";
export const seconds = 1800;
// No new pod starts: the sync stops at its migrate job.
const isFound = ({ operation }) => operation.retries > 0 || ["Failed", "Error"].includes(operation.phase);
export const run = (drill) => badRelease(drill, "migration", { isFound, tells: [["ticket", "ReleaseStuck"]], limit: 600 });
