import { programGone } from "./fault.mjs";

export const title = "Redis gone for half a minute";
export const seconds = 400;
export const run = (drill) => programGone(drill, "redis");
