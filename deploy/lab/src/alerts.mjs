// What reached the people on call: the endpoint that stands for PagerDuty and Jira keeps each message it accepted as a line of JSON.
import { at, found } from "./lab.mjs";

// Where the endpoint writes: one line `{at, kind: "page" | "ticket", accepted, body}` per message.
export const received = at("alerts", "received.jsonl");

// Messages since a moment (milliseconds since 1970), oldest first.
export function listMessages({ since = 0, kind } = {}) {
    const messages = (found(received) ?? "").split("\n").filter(Boolean).map((line) => JSON.parse(line));
    return messages.filter((message) => new Date(message.at).getTime() >= since && (!kind || message.kind === kind));
}
