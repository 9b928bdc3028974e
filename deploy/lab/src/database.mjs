// PostgreSQL: a writer and a streaming replica of it, both of the distribution, as user postgres; and who may do what in the shop's database.
import { existsSync, mkdirSync, chownSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Refusal, at, authority, bridge, clone, listeners, networks, writeWhole } from "./lab.mjs";
import { secret } from "./keys.mjs";
import { start, stop } from "./processes.mjs";
import { run, until } from "./run.mjs";

const user = "postgres";
const database = "shop";

// The services' schemas: a process of the shop may read and write in all of them, and own none.
const schemas = ["ops", ...readdirSync(join(clone, "services"))];

// The folder of PostgreSQL's programs, the newest if there are several.
function programs() {
    const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").sort((one, other) => Number(other) - Number(one)) : [];
    const folder = versions.map((version) => `/usr/lib/postgresql/${version}/bin`).find((path) => existsSync(`${path}/postgres`));
    if (!folder) throw new Refusal("PostgreSQL is missing; `.ci/tools lab` says what to install.");
    return folder;
}

const sockets = at("postgres", "sockets");
const folderOf = (name) => at("postgres", name);

// Runs a program as user postgres.
const asPostgres = async (program, args, options) => run("setpriv", [`--reuid=${user}`, `--regid=${user}`, "--init-groups", `${programs()}/${program}`, ...args], { cwd: at("postgres"), ...options });

// Runs SQL as the superuser on the writer (or `on` the replica) and gives what it prints, unaligned.
export const sql = (text, { on = "writer", base = database } = {}) =>
    asPostgres("psql", ["-h", sockets, "-p", String(listeners[on].port), "-U", user, "-d", base, "-v", "ON_ERROR_STOP=1", "-qAtX", "-f", "-"], { input: text });

export async function startWriter() {
    const folder = await postgresFolder("writer", async (fresh) => {
        await asPostgres("initdb", ["-D", fresh, "-U", user, "--auth-local=peer", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]);
    });
    writeAccess(folder);
    await startServer("writer", folder);
    await until("the writer answers", () => sql("select 1", { base: "postgres" }), { seconds: 60 });
    await makeRoles();
    return authority("writer");
}

// A replica that cannot follow any more (its writer is another one, or too far ahead) is made anew.
export async function startReplica() {
    const follows = await followWriter(20).catch(() => false);
    if (!follows) {
        await stop("postgres-replica");
        rmSync(folderOf("replica"), { recursive: true, force: true });
        await followWriter(60);
    }
    return authority("replica");
}

async function followWriter(seconds) {
    const folder = await postgresFolder("replica", copyWriter);
    writeAccess(folder);
    await startServer("replica", folder);
    return until("the replica follows the writer", async () => (await sql("select 1 from pg_stat_replication where state = 'streaming'", { base: "postgres" })).trim(), { seconds });
}

async function copyWriter(fresh) {
    const source = `host=${bridge.address} port=${listeners.writer.port} user=lab_replica password=${secret("database-replica")} application_name=replica`;
    await sql("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = 'replica' and not active", { base: "postgres" });
    await asPostgres("pg_basebackup", ["-d", source, "-D", fresh, "--write-recovery-conf", "--create-slot", "--slot=replica", "--checkpoint=fast"]);
}

// A cluster's folder, made by `make` if it is not there; made aside and renamed, so that half a one is never taken for a whole one.
async function postgresFolder(name, make) {
    const id = { uid: Number(await run("id", ["-u", user])), gid: Number(await run("id", ["-g", user])) };
    for (const folder of [at("postgres"), sockets]) {
        mkdirSync(folder, { recursive: true });
        if (statSync(folder).uid !== id.uid) chownSync(folder, id.uid, id.gid);
    }
    const folder = folderOf(name);
    if (!existsSync(folder)) {
        rmSync(`${folder}.new`, { recursive: true, force: true });
        await make(`${folder}.new`);
        renameSync(`${folder}.new`, folder);
    }
    return folder;
}

// Who may come from where: root and postgres of this machine by the socket, pods and the machine by password.
function writeAccess(folder) {
    const networksOfOurs = [`${bridge.address}/32`, networks.pods];
    const rules = ["local all all peer", ...networksOfOurs.map((network) => `host all all ${network} scram-sha-256`), `host replication lab_replica ${bridge.address}/32 scram-sha-256`];
    writeWhole(`${folder}/pg_hba.conf`, `${rules.join("\n")}\n`, 0o644);
}

async function startServer(name, folder) {
    const settings = {
        listen_addresses: listeners[name].address,
        port: listeners[name].port,
        unix_socket_directories: sockets,
        cluster_name: name,
        // Previews stand beside active pods, each with a pool, and pods are scaled.
        max_connections: 400,
        shared_buffers: "256MB",
        max_wal_size: "1GB",
        wal_keep_size: "256MB",
        hot_standby_feedback: "on",
        log_min_duration_statement: "500ms",
    };
    const options = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
    await start(`postgres-${name}`, `${programs()}/postgres`, ["-D", folder, ...options], { user, stops: "SIGINT", cwd: folder, reads: [`${folder}/pg_hba.conf`] });
}

const passwordOf = (role) => secret(`database-${role}`);

// The logins: one that migrates and owns, two that serve and own nothing, one for the replica. The serving ones are members of roles that the first migration makes,
// so those are made here already.
async function makeRoles() {
    const logins = { shop_migrate: "createrole", shop_api: "", shop_worker: "", lab_replica: "replication" };
    const statements = Object.entries(logins).map(([role, rights]) => `${createOnce(role)}
alter role ${role} login ${rights} password '${passwordOf(role.replace("lab_", ""))}';`);
    const groups = schemas.flatMap((schema) => [createOnce(`tw_${schema}_owner`), createOnce(`tw_${schema}_rw`), `grant tw_${schema}_owner to shop_migrate with admin option;`, `grant tw_${schema}_rw to shop_api, shop_worker;`]);
    await sql([...statements, ...groups].join("\n"), { base: "postgres" });
    const present = await sql(`select 1 from pg_database where datname = '${database}'`, { base: "postgres" });
    if (!present.trim()) await sql(`create database ${database} owner shop_migrate`, { base: "postgres" });
}

const createOnce = (role) => `do $$ begin if not exists (select from pg_roles where rolname = '${role}') then create role ${role}; end if; end $$;`;

// The address of the shop's database for a login.
export const databaseUrl = (role, on = "writer") => `postgres://${role}:${passwordOf(role)}@${authority(on)}/${database}`;
