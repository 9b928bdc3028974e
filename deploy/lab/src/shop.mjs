// What the shop needs in the cluster before its chart comes: namespace, secrets, pictures; and a database with something to sell.
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { at, authority, clone, namespace, release, remember, state, writeWhole } from "./lab.mjs";
import { databaseUrl } from "./database.mjs";
import { ourProgram } from "./images.mjs";
import { secret } from "./keys.mjs";
import { apply, makeNamespace, note } from "./kubectl.mjs";
import { redisUrl } from "./redis.mjs";
import { run } from "./run.mjs";

// The address of the shop, and who is invited into the back office.
export const publicUrl = `http://${authority("shop")}`;
export const owner = "owner@shop.example";

// The claim by which storefronts see the products' pictures, and the folder of this machine behind it.
export const mediaClaim = `${release}-media`;
const dataFolder = at("shop");
const mediaFolder = join(dataFolder, "objects", "media");

export async function prepareNamespace() {
    await makeNamespace(namespace);
    await apply(secrets(), { into: namespace });
    mkdirSync(mediaFolder, { recursive: true });
    await note("persistentvolume", mediaClaim);
    await apply(pictures());
}

// The four Secrets of the chart. Those who serve own nothing in the database; the pages do not know it at all.
function secrets() {
    const internal = { "internal-credential": secret("internal-credential") };
    const redis = { "redis-url": redisUrl() };
    const addressesOf = (role) => ({ "database-url": databaseUrl(role), "database-read-url": databaseUrl(role, "replica") });
    const contents = {
        api: { ...addressesOf("shop_api"), ...redis, ...internal },
        pages: { ...redis, ...internal },
        worker: { ...addressesOf("shop_worker"), ...redis },
        migrate: { "database-url": databaseUrl("shop_migrate") },
    };
    return Object.entries(contents).map(([name, stringData]) => ({ apiVersion: "v1", kind: "Secret", metadata: { name: `${release}-${name}` }, type: "Opaque", stringData }));
}

function pictures() {
    const size = "1Gi";
    const volume = { capacity: { storage: size }, accessModes: ["ReadOnlyMany"], persistentVolumeReclaimPolicy: "Retain", storageClassName: "", hostPath: { path: mediaFolder, type: "Directory" } };
    return [
        { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: mediaClaim }, spec: { ...volume, claimRef: { namespace, name: mediaClaim } } },
        {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            metadata: { name: mediaClaim, namespace },
            spec: { accessModes: ["ReadOnlyMany"], storageClassName: "", volumeName: mediaClaim, resources: { requests: { storage: size } } },
        },
    ];
}

// Runs the program of our image beside the cluster, as a login of the database.
export async function tradewind(args, role = "shop_api") {
    mkdirSync(dataFolder, { recursive: true });
    const env = { DATABASE_URL: databaseUrl(role), TRADEWIND__DATA_DIR: dataFolder, TRADEWIND__HTTP__PUBLIC_URL: publicUrl, TRADEWIND__DEMO: "true", TRADEWIND__LOG__FORMAT: "json" };
    return run(await ourProgram(), args, { env, cwd: dataFolder });
}

// Migrates and fills the database, once: afterwards releases migrate it, by the chart's job.
export async function fillShop() {
    if (state().filled) return "filled before";
    await tradewind(["migrate"], "shop_migrate");
    const told = await tradewind(["seed", "--from", plenty()]);
    await run("chmod", ["-R", "a+rX", join(dataFolder, "objects")]);
    remember({ filled: true });
    return told.trim().split("\n").pop();
}

// The demo data with so much of everything that no drill sells it out; pictures are linked, not copied.
function plenty() {
    const [from, into] = [join(clone, "demo"), at("demo")];
    rmSync(into, { recursive: true, force: true });
    mkdirSync(into, { recursive: true });
    for (const name of readdirSync(from).filter((name) => name !== "catalogue.json")) symlinkSync(join(from, name), join(into, name));
    const fill = (key, value) => (key === "stock" && Number.isInteger(value) ? 10_000_000 : value);
    writeWhole(join(into, "catalogue.json"), JSON.stringify(JSON.parse(readFileSync(join(from, "catalogue.json"), "utf8"), fill)));
    return into;
}

// A link into the back office that works once.
export const staffLink = async () => (await tradewind(["staff", "invite", owner])).trim();

// Whether shoppers get the shop: its first page and a picture of a product.
export async function shopAnswers() {
    const answer = await fetch(publicUrl, { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`${publicUrl} answers ${answer.status}`);
    const picture = /\/media\/[^"' ?,]+/.exec(await answer.text())?.[0];
    const shown = picture && (await fetch(`${publicUrl}${picture}`, { signal: AbortSignal.timeout(5000) }));
    if (picture && !shown.ok) throw new Error(`${picture} answers ${shown.status}`);
    return `${publicUrl} answers${picture ? ", with pictures" : ""}`;
}
