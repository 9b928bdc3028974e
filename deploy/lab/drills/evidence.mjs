// What a drill leaves behind: its figures as JSON, its course as a picture, and the page that lists them all. Nobody writes these by hand.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clone } from "../src/lab.mjs";
import { run } from "../src/run.mjs";

// Writes all of it into `folder`.
export async function writeEvidence(drill, folder) {
    mkdirSync(folder, { recursive: true });
    const name = [drill.name, ...(drill.without.size > 0 ? ["without", ...drill.without] : [])].join("-").replaceAll("_", "-");
    const { report } = drill;
    const told = {
        drill: name,
        title: drill.title,
        without: [...drill.without],
        held: drill.failures.length === 0,
        failures: drill.failures,
        began: drill.began.toISOString(),
        seconds: Math.round((drill.ended - drill.began) / 1000),
        commit: (await run("git", ["-C", clone, "rev-parse", "--short", "HEAD"], { fails: true })).output.trim(),
        image: drill.image,
        machine: drill.machine,
        capacity: drill.capacity ?? null,
        rate: report?.rate ?? null,
        figures: drill.figures,
        checks: drill.checks,
        marks: drill.marks.map(({ at, label }) => ({ at: new Date(at).toISOString(), second: report ? Math.round((at - report.began_ms) / 1000) : null, label })),
        shoppers: report && course(report),
    };
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(told, null, 1)}\n`);
    if (told.shoppers) writeFileSync(join(folder, `${name}.svg`), graph(told));
    writeFileSync(join(folder, "README.md"), page(readAll(folder)));
}

// What is kept of a report: all but the orders.
function course(report) {
    const { requests, failures, failed_by_kind, latency, by_request, kept, seconds, told } = report;
    const rows = seconds.map(({ requests: count, failures: failed, p99 }) => [count, failed, Math.round(p99 / 1000)]);
    const columns = ["requests", "failures", "p99_ms"];
    return { requests, failures, failed_by_kind, latency_us: latency, by_request, kept, first_failures: told.slice(0, 20), columns, seconds: rows.map((row) => row.join(" ")) };
}

function readAll(folder) {
    const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
    return files.map((file) => ({ ...JSON.parse(readFileSync(join(folder, file), "utf8")), picture: existsSync(join(folder, file.replace(".json", ".svg"))) }));
}

// The page. Drills with a guard off stand apart: there, failing is what counts.
export function page(all) {
    const guarded = all.filter(({ without }) => without.length === 0);
    const off = all.filter(({ without }) => without.length > 0);
    const row = ({ drill, title, held, figures, without, shoppers, capacity, rate }) => {
        const main = figures.filter(({ name }) => /second|release|pods|budget/.test(name) && !/seconds with/.test(name)).map(({ name, value, unit }) => `${name}: ${value}${unit ? ` ${unit}` : ""}`);
        const result = without.length > 0 ? (held ? "held: shows nothing" : "failed, as it has to") : held ? "held" : "**failed**";
        const users = shoppers ? `${shoppers.failures} of ${shoppers.requests}` : "";
        return `| [${title}](#${drill}) | ${without.length > 0 ? `${without.join(", ")} | ` : ""}${result} | ${users} | ${rate ? `${rate}/s${capacity ? ` of ${capacity}/s` : ""}` : ""} | ${main.join("<br>")} |`;
    };
    const lines = [
        "# Evidence",
        "",
        "Written by `make lab-test` (`deploy/lab/drills`) from what it measured; changed by nobody else. Shoppers browse and buy at a constant rate, whatever becomes of their requests, through the gateway; each request counts from when it was due, and each answer is looked at.",
        "",
        "| drill | result | failed requests | load, of capacity | |",
        "|---|---|---|---|---|",
        ...guarded.map(row),
    ];
    if (off.length > 0) lines.push("", "## With a guard off", "Each drill has to fail then, or it would show nothing.", "", "| drill | without | result | failed requests | load, of capacity | |", "|---|---|---|---|---|---|", ...off.map(row));
    for (const one of [...guarded, ...off]) lines.push("", ...section(one));
    return `${lines.join("\n")}\n`;
}

function section({ drill, title, without, began, seconds, machine, commit, figures, checks, failures, marks, picture }) {
    const lines = [
        `<a id="${drill}"></a>`,
        `## ${title}${without.length > 0 ? ` (without ${without.join(", ")})` : ""}`,
        `${began.slice(0, 16).replace("T", " ")} UTC, ${seconds} s, ${machine.processors} processors, ${Math.round(machine.memoryMiB / 1024)} GiB, commit ${commit}. [All figures](${drill}.json)`,
        "",
    ];
    if (picture) lines.push(`![requests, failures and p99 per second](${drill}.svg)`, "");
    if (figures.length > 0) lines.push("| figure | |", "|---|---|", ...figures.map(({ name, value, unit }) => `| ${name} | ${value}${unit ? ` ${unit}` : ""} |`), "");
    lines.push(...checks.map(({ what, holds, detail }) => `- ${holds ? "holds" : "**does not hold**"}: ${what}${detail ? ` (${detail})` : ""}`));
    lines.push(...failures.filter((failure) => !checks.some(({ what }) => what === failure)).map((failure) => `- **${failure}**`));
    if (marks.length > 0) lines.push("", marks.map(({ second, label }) => `${second === null ? "" : `${second} s `}${label}`).join(" · "));
    return lines;
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

// Requests (grey) and failures (red) per second above, p99 below, the moments of the drill across both.
export function graph({ title, without, marks, shoppers }) {
    const rows = shoppers.seconds.map((line) => line.split(" ").map(Number));
    const [width, left, right, top] = [1000, 60, 20, 90];
    const [upper, lower, gap] = [200, 90, 40];
    const span = Math.max(1, rows.length);
    const x = (second) => left + (Math.min(Math.max(second, 0), span) / span) * (width - left - right);
    const most = Math.max(1, ...rows.map(([requests]) => requests));
    const slowest = Math.max(1, ...rows.map(([, , p99]) => p99));
    const y = (count) => top + upper - (count / most) * upper;
    const below = top + upper + gap;
    const yOf = (p99) => below + lower - (p99 / slowest) * lower;
    const bar = (count, second, colour) => (count > 0 ? `<rect x="${x(second).toFixed(1)}" y="${y(count).toFixed(1)}" width="${Math.max(1, (width - left - right) / span).toFixed(2)}" height="${(top + upper - y(count)).toFixed(1)}" fill="${colour}"/>` : "");
    const line = rows.map(([, , p99], second) => `${x(second + 0.5).toFixed(1)},${yOf(p99).toFixed(1)}`).join(" ");
    const shown = marks.filter(({ second }) => second !== null);
    const moments = shown.map(({ second, label }, place) => {
        const height = 40 + (place % 4) * 12;
        return `<line x1="${x(second).toFixed(1)}" x2="${x(second).toFixed(1)}" y1="${height}" y2="${below + lower}" stroke="#1d4f91" stroke-dasharray="3 3"/><text x="${(x(second) + 3).toFixed(1)}" y="${height + 4}" fill="#1d4f91"${x(second) > width * 0.8 ? ' text-anchor="end"' : ""}>${escaped(label)}</text>`;
    });
    const scale = (value, at, unit) => `<text x="${left - 6}" y="${at}" text-anchor="end">${value}${unit}</text>`;
    const seconds = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(span * share)).map((second) => `<text x="${x(second).toFixed(1)}" y="${below + lower + 16}" text-anchor="middle">${second} s</text>`);
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${below + lower + 28}" font-family="sans-serif" font-size="11" fill="#333" role="img" aria-label="${escaped(title)}: ${shoppers.failures} of ${shoppers.requests} requests failed">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${left}" y="22" font-size="15">${escaped(title)}${without.length > 0 ? escaped(` (without ${without.join(", ")})`) : ""}: ${shoppers.failures} of ${shoppers.requests} requests failed</text>
${rows.map(([requests], second) => bar(requests, second, "#c9ced6")).join("")}
${rows.map(([, failures], second) => bar(failures, second, "#c0272d")).join("")}
<polyline points="${line}" fill="none" stroke="#8a5a00"/>
${moments.join("\n")}
${scale(most, top + 10, "/s")}${scale(0, top + upper, "")}${scale(slowest, below + 10, " ms")}${scale(0, below + lower, "")}
<text x="${left}" y="${top + upper + 14}">grey: requests, red: failures</text><text x="${left}" y="${below - 6}">p99</text>
${seconds.join("")}
</svg>
`;
}
