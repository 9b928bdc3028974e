// Asking the lab's Prometheus.
import { authority } from "./lab.mjs";

// The present value of an expression: a list of `{labels, value}`.
export async function query(expression, at = Date.now() / 1000) {
    const result = await ask("query", { query: expression, time: at });
    if (result.resultType === "scalar") return [{ labels: {}, value: Number(result.result[1]) }];
    return result.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}

// The first value of an expression, or null where there is none.
export async function value(expression, at) {
    return (await query(expression, at))[0]?.value ?? null;
}

// An expression over time (seconds since 1970): a list of `{labels, points: [[time, value], …]}`.
export async function queryRange(expression, from, to, step = 5) {
    const { result } = await ask("query_range", { query: expression, start: from, end: to, step });
    return result.map(({ metric, values }) => ({ labels: metric, points: values.map(([time, text]) => [time, Number(text)]) }));
}

// Alerts that are pending or firing.
export async function listAlerts() {
    return (await ask("alerts", {})).alerts;
}

async function ask(what, parameters) {
    const answer = await fetch(`http://${authority("prometheus")}/api/v1/${what}`, { method: "POST", body: new URLSearchParams(parameters), signal: AbortSignal.timeout(10_000) });
    const { status, data, error } = await answer.json();
    if (status !== "success") throw new Error(`Prometheus answers ${answer.status}: ${error}`);
    return data;
}
