// What the drills make of what they measured.
import assert from "node:assert/strict";
import test from "node:test";
import { uuidOf } from "../drills/books.mjs";
import { graph, page } from "../drills/evidence.mjs";
import { names, parse } from "../drills/main.mjs";

const told = (changes = {}) => ({
    drill: "pod-killed",
    title: "Pods taken out & killed",
    without: [],
    held: true,
    failures: [],
    began: "2026-11-25T09:00:00.000Z",
    seconds: 60,
    machine: { processors: 2, memoryMiB: 8192 },
    commit: "abc1234",
    capacity: 400,
    rate: 100,
    figures: [{ name: "seconds until it is ready", value: 4.2, unit: "s" }],
    checks: [{ what: "no request failed", holds: true, detail: "0 of 300" }],
    marks: [{ at: "2026-11-25T09:00:01.000Z", second: 1, label: "api pod <killed>" }],
    shoppers: { requests: 300, failures: 7, seconds: ["100 0 12", "100 7 900", "100 0 14"] },
    picture: true,
    ...changes,
});

test("an id is the uuid that the database has", () => {
    assert.equal(uuidOf("ord_00000000000000000000000010"), "00000000-0000-0000-0000-000000000020");
    assert.equal(uuidOf("ord_7zzzzzzzzzzzzzzzzzzzzzzzzz"), "ffffffff-ffff-ffff-ffff-ffffffffffff");
});

test("a picture shows every failure, and text of a drill is text", () => {
    const picture = graph(told());
    assert.equal(picture.match(/fill="#c0272d"/g).length, 1);
    assert.equal(picture.match(/fill="#c9ced6"/g).length, 3);
    assert.ok(picture.includes("api pod &lt;killed&gt;") && picture.includes("Pods taken out &amp; killed"));
    assert.ok(!picture.includes("NaN"));
});

test("a picture of a run without a single second is a picture", () => {
    assert.ok(!graph(told({ shoppers: { requests: 0, failures: 0, seconds: [] } })).includes("NaN"));
});

test("the page says what failed, and sets apart what has to fail", () => {
    const text = page([told(), told({ drill: "scale", title: "Scale", held: false, failures: ["down again"] }), told({ drill: "pod-killed-without-gateway", without: ["gateway"], held: false })]);
    const [guarded, off] = text.split("## With a guard off");
    assert.match(guarded, /\| \[Scale\]\(#scale\) \| \*\*failed\*\*/);
    assert.match(guarded, /\| \[Pods taken out & killed\]\(#pod-killed\) \| held \| 7 of 300 \| 100\/s of 400\/s/);
    assert.match(off, /gateway \| failed, as it has to/);
    assert.match(text, /\*\*down again\*\*/);
});

test("drills and guards that are not there are refused", () => {
    assert.deepEqual(parse([]).wanted, names);
    assert.deepEqual(parse(["scale", "--without", "gateway"]).wanted, ["scale"]);
    assert.throws(() => parse(["scales"]), /What is scales/);
    assert.throws(() => parse(["--without", "luck"]), /usage/);
    assert.deepEqual(parse(["scale", "--without", "drain,gateway"]).options.without, ["drain", "gateway"]);
});
