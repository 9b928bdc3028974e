// What staff do in the back office, step by step.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join as path } from "node:path";

import { soon } from "./browser.mjs";

const password = "a long walk on the salt marsh";

/** An invitation into the back office, as somebody at the machine prints it; returns its path. */
export function invite(email) {
  const said = execFileSync(process.env.TRADEWIND, ["staff", "invite", email], { env: JSON.parse(process.env.SHOP_ENVIRONMENT), encoding: "utf8" });
  // The command does not know which port the system chose.
  const path = /\/backoffice\/invitation\?token=\S+/.exec(said)?.[0];
  assert.ok(path, said);
  return path;
}

/** Takes an invitation, and is signed in by that. */
export async function join(page, { email, name }) {
  await take(page, invite(email), name, password);
  await page.getByRole("navigation", { name: "Back office" }).or(page.locator("#side")).first().waitFor({ state: "attached" });
}

/** Fills in the form behind an invitation. */
export async function take(page, invitation, name, chosen = password) {
  await page.goto(invitation);
  await page.getByRole("heading", { name: "Join the back office" }).waitFor();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(chosen);
  await page.getByRole("button", { name: "Join and sign in" }).click();
}

/** Signs in again on the sign-in page. */
export async function signIn(page, { email }) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Finds an order by its number in the list and opens it. */
export async function openOrder(page, number) {
  await page.goto("/backoffice/orders");
  await page.getByRole("searchbox", { name: /Order number/ }).fill(number);
  await page.getByRole("searchbox", { name: /Order number/ }).press("Enter");
  await page.getByRole("link", { name: number }).click();
  await page.getByRole("heading", { level: 1, name: number }).waitFor();
}

/** Captures everything that is held for the order that is open. On a phone the thumb finds the button in the lower bar. */
export async function capture(page, amount) {
  await page.getByRole("link", { name: `Capture ${amount}` }).filter({ visible: true }).last().click();
  const dialog = page.getByRole("dialog", { name: /^Capture money for/ });
  await dialog.getByText("A capture cannot be taken back").waitFor();
  await dialog.getByRole("button", { name: /^Capture/ }).click();
  await page.getByRole("main").getByText("Captured", { exact: true }).first().waitFor();
}

/** Leaves a job that fails for good at its first try, and waits until it is dead. */
export async function breakJob() {
  const payload = JSON.stringify({ capture_id: "cap_00000000000000000000000001", amount: "a lot" });
  const columns = "id, kind, payload, max_attempts, run_at, created_at";
  sql(`insert into ops.job (${columns}) values (gen_random_uuid(), 'orders.note_capture', '${payload}', 1, now(), now())`);
  await soon(() => assert.notEqual(sql("select count(*) from ops.job where state = 'dead'"), "0", "the job is dead"));
}

/** Does something while the back office cannot read what it needs for its list of orders. */
export async function withoutViews(work) {
  sql("alter table identity.saved_view rename to saved_view_away");
  try {
    await work();
  } finally {
    sql("alter table identity.saved_view_away rename to saved_view");
  }
}

// What somebody at the machine does to the shop's own database, whose socket stands in the file that names its process.
function sql(statement) {
  const folder = JSON.parse(process.env.SHOP_ENVIRONMENT).TRADEWIND__DATA_DIR;
  const [, , , port, socket] = readFileSync(path(folder, "postgres", "postmaster.pid"), "utf8").split("\n");
  return execFileSync("psql", ["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", socket, "-p", port, "-U", "tradewind", "-d", "tradewind", "-c", statement], { encoding: "utf8" }).trim();
}
