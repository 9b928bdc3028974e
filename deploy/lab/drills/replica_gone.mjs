import { sql } from "../src/database.mjs";
import { until } from "../src/run.mjs";
import { programGone } from "./fault.mjs";

export const title = "Replica of the database gone for half a minute";
export const seconds = 400;
const isBack = () => until("the replica follows", async () => (await sql("select 1 from pg_stat_replication where state = 'streaming'")).trim(), { seconds: 60 });
export const run = (drill) => programGone(drill, "postgres-replica", { isBack });
