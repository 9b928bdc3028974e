import { badRelease } from "./bad_release.mjs";

export const title = "Bad release: 1 % server errors";
export const seconds = 1500;
export const run = (drill) => badRelease(drill, "errors", { tells: [["page", "ReleaseAborted"], ["ticket", "ReleaseStuck"]] });
