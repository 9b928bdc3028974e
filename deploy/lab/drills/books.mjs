// Whether what shoppers were told is what is written: no order lost, none doubled, every invariant of the shop.
import { sql } from "../src/database.mjs";
import { tradewind } from "../src/shop.mjs";
import { lastLines, sleep } from "../src/run.mjs";

// What a run of shoppers has to leave behind.
export async function checkBooks(drill, report) {
    // Late answers of payment providers settle by jobs.
    await sleep(5);
    const rows = (await sql(`select id, email from orders.order where state = 'placed' and email like '${report.run}-%@load.example'`)).trim().split("\n").filter(Boolean);
    const written = new Map(rows.map((row) => row.split("|")));
    const told = new Set(report.sales.map((sale) => uuidOf(sale.id)));
    const lost = [...told].filter((id) => !written.has(id));
    // Whoever never got an answer may have an order all the same.
    const unanswered = new Set(report.unanswered);
    const doubled = [...written].filter(([id, email]) => !told.has(id) && !unanswered.has(email));
    drill.figure("orders acknowledged", told.size);
    drill.holds("no order lost", lost.length === 0, `${lost.length} of ${told.size}`);
    drill.holds("no order that nobody was told of", doubled.length === 0, doubled.length);
    drill.holds("no number given twice", report.sales.length === told.size, `${report.sales.length} answers, ${told.size} orders`);
    const { carts_looked_at: looks, carts_lost, keys_repeated, keys_answered_otherwise, checkouts_in_flight, checkouts_lost } = report.kept;
    drill.holds("carts and their cookies stay", looks > 0 && carts_lost === 0, `${looks} looks, ${carts_lost} lost`);
    drill.holds("the same idempotency key, the same answer", keys_repeated > 0 && keys_answered_otherwise === 0, `${keys_repeated} repeated, ${keys_answered_otherwise} answered otherwise`);
    drill.holds("checkouts in flight are finished", checkouts_lost === 0 && report.unanswered.length === 0, `${checkouts_in_flight} in flight, ${checkouts_lost + report.unanswered.length} not finished`);
    await checkJobs(drill);
    try {
        drill.holds("every invariant re-sums", true, lastLines(await tradewind(["check"]), 1));
    } catch (error) {
        drill.holds("every invariant re-sums", false, lastLines(error.message, 3));
    }
}

// Jobs are done, not given up, and not left lying.
async function checkJobs(drill) {
    const [dead, late] = (await sql("select count(*) filter (where state = 'dead'), count(*) filter (where state = 'ready' and run_at < now() - interval '60 seconds') from ops.job")).trim().split("|").map(Number);
    drill.holds("no job given up or left lying", dead === 0 && late === 0, `${dead} given up, ${late} late by a minute`);
}

// What users saw of a run.
export function tellUsers(drill, report) {
    const { requests, failures, failed_ppm, failed_by_kind, failing_from, failing_to, failing_seconds, latency, rate, per_second } = report;
    drill.figure("requests", requests);
    const kinds = Object.entries(failed_by_kind).map(([kind, count]) => `${count} × ${kind}`);
    drill.figure("failed requests", failures, failures > 0 ? `(${kinds.join(", ")})` : "");
    drill.figure("share of failed requests", failed_ppm / 10_000, "%");
    if (failures > 0) drill.figure("seconds with failures", failing_seconds, `(from second ${failing_from} to ${failing_to})`);
    drill.figure("p50", latency.p50 / 1000, "ms");
    drill.figure("p99", latency.p99 / 1000, "ms");
    // At this rate for 30 days, one request in a thousand may fail.
    drill.figure("error budget spent (30 d at 99.9 %)", (failures / ((rate ?? per_second) * 30 * 86_400 * 0.001)) * 100, "%");
}

// The uuid in an id such as `ord_01m88zrd…`: 26 digits of 5 bits.
export function uuidOf(id) {
    const digits = "0123456789abcdefghjkmnpqrstvwxyz";
    const number = [...id.split("_")[1]].reduce((sum, digit) => sum * 32n + BigInt(digits.indexOf(digit)), 0n);
    const hex = number.toString(16).padStart(32, "0");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
