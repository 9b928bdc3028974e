import { badRelease } from "./bad_release.mjs";

export const title = "Bad release: slow p99";
export const seconds = 1500;
export const run = (drill) => badRelease(drill, "slow");
