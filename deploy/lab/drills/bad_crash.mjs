import { badRelease } from "./bad_release.mjs";

export const title = "Bad release: crash loop";
export const seconds = 1500;
export const run = (drill) => badRelease(drill, "crash", { limit: 500 });
