// What must hold of the image in $IMAGE, a folder that deploy/image/build wrote. deploy/image/check runs this beside a PostgreSQL.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { appendFileSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { createServer as createPort } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const image = process.env.IMAGE;
const layout = join(image, "layout");
const digest = readFileSync(join(image, "digest"), "utf8").trim();
const patience = 30_000;
const user = 10001;

const json = (file) => JSON.parse(readFileSync(file, "utf8"));
const blob = (name) => join(layout, "blobs", ...name.split(":"));
const fact = (name) => execFileSync(join(here, "facts"), [name], { encoding: "utf8" }).trim();
const manifest = json(blob(digest));
const config = json(blob(manifest.config.digest));
const label = (name) => config.config.Labels[`org.opencontainers.image.${name}`];

const work = mkdtempSync(join(tmpdir(), "tradewind-image-"));
const system = join(work, "system");

before(() => {
  mkdirSync(system);
  for (const layer of manifest.layers) execFileSync("tar", ["--extract", "--numeric-owner", "--same-owner", "--gunzip", "--file", blob(layer.digest), "--directory", system]);
});
after(() => rmSync(work, { recursive: true, force: true }));

// Every file below a folder, with what it is.
function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return [path, ...(entry.isDirectory() ? files(path) : [])];
  });
}

// The command line that runs the image's program as a container runtime would: its user, no rights beyond, nothing to write on.
function contained(folder, ...command) {
  const script = `set -eu
    mount --make-rprivate /
    mount --bind "$0" "$0"
    if [ -d "$0/dev" ]; then
      mount -t tmpfs -o size=64k,mode=0755 dev "$0/dev"
      for name in null zero full random urandom; do : >"$0/dev/$name"; mount --bind "/dev/$name" "$0/dev/$name"; done
      mount -t proc proc "$0/proc"
    fi
    mount -o remount,bind,ro,nosuid,nodev "$0"
    exec setpriv --bounding-set -all,+sys_chroot,+setuid,+setgid --no-new-privs chroot --userspec=${user}:${user} --groups= "$0" "$@"`;
  return ["unshare", ["--mount", "--", "sh", "-c", script, folder, "/tradewind", ...command]];
}

function run(folder, environment, ...command) {
  const [program, parts] = contained(folder, ...command);
  return spawnSync(program, parts, { env: { PATH: process.env.PATH, ...environment }, encoding: "utf8", timeout: 120_000 });
}

// Whatever else listens on this machine.
const anyPorts = { TRADEWIND__HTTP__PUBLIC_ADDRESS: "127.0.0.1:0", TRADEWIND__HTTP__OPERATIONS_ADDRESS: "127.0.0.1:0" };

async function freePort() {
  const port = createPort();
  await new Promise((resolve) => port.listen(0, "127.0.0.1", resolve));
  const number = port.address().port;
  await new Promise((resolve) => port.close(resolve));
  return number;
}

// Starts a server in the image; `asks(path)` gets from its public port, `end()` drains it.
async function serve(folder, environment, ...command) {
  const [shop, operations] = [await freePort(), await freePort()];
  const [program, parts] = contained(folder, "serve", ...command);
  const child = spawn(program, parts, {
    env: {
      PATH: process.env.PATH,
      TRADEWIND__HTTP__PUBLIC_ADDRESS: `127.0.0.1:${shop}`,
      TRADEWIND__HTTP__OPERATIONS_ADDRESS: `127.0.0.1:${operations}`,
      ...environment,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  const begun = Date.now();
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${operations}/readyz`).catch(() => null);
    if (answer?.ok) break;
    if (child.exitCode !== null || Date.now() - begun > patience) {
      child.kill("SIGKILL");
      throw new Error(`the server did not become ready:\n${log}`);
    }
    await sleep(50);
  }
  return {
    asks: (path) => fetch(`http://127.0.0.1:${shop}${path}`, { signal: AbortSignal.timeout(patience) }),
    log: () => log,
    async end() {
      child.kill("SIGTERM");
      const end = await Promise.race([ended, sleep(patience, undefined, { ref: false }).then(() => child.kill("SIGKILL") && "no end in time")]);
      return { end, log };
    },
  };
}

test("the program prints what the labels say", () => {
  const printed = run(system, {}, "version");
  assert.equal(printed.status, 0, printed.stderr);
  assert.equal(printed.stdout, `tradewind ${label("version")}\nrevision ${label("revision")}\nsource ${label("source")}\n`);
});

// What arms a fault is asked for by its name, so a program without the name has none.
test("no fault can be armed in it", () => {
  assert.equal(readFileSync(join(system, "tradewind")).indexOf("TRADEWIND_FAULT"), -1, "this program was built for drills: with the feature faults");
  const armed = run(system, { TRADEWIND_FAULT: "no such fault" }, "version");
  assert.equal(armed.status, 0, armed.stderr);
});

test("the labels are those of this commit", () => {
  for (const name of ["version", "revision", "source"]) assert.equal(label(name), fact(name), name);
  assert.equal(Date.parse(label("created")), fact("time") * 1000);
  assert.equal(Date.parse(config.created), fact("time") * 1000);
});

test("the image is for one user, who is not root, and starts the server", () => {
  assert.equal(config.config.User, `${user}:${user}`);
  assert.deepEqual(config.config.Entrypoint, ["/tradewind"]);
  assert.deepEqual(config.config.Cmd, ["serve"]);
});

test("there is the program, who runs it, whom it trusts, and nothing else", () => {
  const found = files(system).filter((path) => !lstatSync(path).isDirectory());
  const names = found.map((path) => relative(system, path)).sort();
  assert.deepEqual(names, ["etc/group", "etc/nsswitch.conf", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "tradewind"]);
  assert.match(readFileSync(join(system, "etc/passwd"), "utf8"), /^tradewind:x:10001:10001:/m);
});

test("the user may write his own folder and nothing else, and nobody's rights are borrowed", () => {
  for (const path of files(system)) {
    const { mode, uid, gid } = lstatSync(path);
    const own = path === join(system, "data");
    assert.deepEqual([uid, gid], own ? [user, user] : [0, 0], path);
    assert.equal(mode & 0o6022, 0, `${path} has mode ${mode.toString(8)}`);
  }
});

test("every file bears the commit's time", () => {
  for (const path of files(system)) assert.equal(statSync(path).mtimeMs, fact("time") * 1000, path);
});

test("the program is static, has no symbols and is small enough", () => {
  const kind = execFileSync("file", ["--brief", join(system, "tradewind")], { encoding: "utf8" });
  assert.match(kind, /static(-pie|ally) linked/);
  assert.match(kind, /, stripped/);
  const [size, most] = [statSync(join(system, "tradewind")).size, fact("profile") === "dist" ? 40_000_000 : 60_000_000];
  assert.ok(size <= most, `the program has ${size} bytes; ${most} are allowed`);
});

test("no folder of the machine that built it is named in the program", () => {
  const program = readFileSync(join(system, "tradewind"));
  const home = process.env.CARGO_HOME ?? join(process.env.HOME, ".cargo");
  const rust = execFileSync("rustc", ["--print", "sysroot"], { encoding: "utf8" }).trim();
  for (const folder of [join(here, "../.."), home, rust]) assert.equal(program.indexOf(`${folder}/`), -1, folder);
});

test("the same program gives the same digest again", () => {
  const again = join(work, "again");
  execFileSync(join(here, "build"), ["--program", join(system, "tradewind"), "--into", again], { stdio: ["ignore", "ignore", "inherit"] });
  assert.equal(readFileSync(join(again, "digest"), "utf8").trim(), digest);
  assert.equal(readFileSync(join(again, "sbom.cdx.json"), "utf8"), readFileSync(join(image, "sbom.cdx.json"), "utf8"));
});

test("the same commit gives the same digest again, everything compiled anew", { skip: process.env.IMAGE_TWICE ? false : "IMAGE_TWICE=1 does it" }, () => {
  const again = join(work, "anew");
  execFileSync(join(here, "build"), ["--into", again], { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, CARGO_TARGET_DIR: join(work, "target") } });
  assert.equal(readFileSync(join(again, "digest"), "utf8").trim(), digest);
});

test("the list of parts is of this program", () => {
  const parts = json(join(image, "sbom.cdx.json"));
  assert.equal(parts.bomFormat, "CycloneDX");
  assert.equal(parts.metadata.component.version, label("version"));
  const property = parts.metadata.component.properties.find((property) => property.name === "org.opencontainers.image.revision");
  assert.equal(property.value, label("revision"));
  const lock = readFileSync(join(here, "../../Cargo.lock"), "utf8");
  const crates = parts.components.filter((part) => part.purl?.startsWith("pkg:cargo/"));
  assert.ok(crates.length > 100, `${crates.length} crates`);
  for (const { name, version, hashes } of crates) assert.ok(lock.includes(`name = "${name}"\nversion = "${version}"`) && lock.includes(hashes[0].content), name);
});

// A database that only a name server knows, and a name that only /etc/hosts knows: what a cluster mounts.
test("it migrates and serves with a database found by name, on a file system it cannot write", async () => {
  const names = createSocket("udp4");
  const asked = [];
  names.on("message", (question, from) => {
    const [name, type] = readQuestion(question);
    asked.push(name);
    names.send(answerTo(question, type), from.port, from.address);
  });
  await new Promise((resolve, reject) => names.once("error", reject).bind(53, "127.0.0.77", resolve));
  const folder = mounted({ "etc/resolv.conf": "nameserver 127.0.0.77\noptions ndots:1\n" });
  const database = new URL(process.env.DATABASE_URL);
  database.hostname = "database.shop.test";
  const environment = { DATABASE_URL: database.href, TRADEWIND__WEB__INTERNAL_CREDENTIAL: "a-credential-of-the-image-test" };
  try {
    const migrated = await new Promise((resolve) => {
      const [program, parts] = contained(folder, "migrate");
      const child = spawn(program, parts, { env: { PATH: process.env.PATH, ...environment } });
      let told = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (told += text));
      child.once("exit", (code) => resolve({ code, told }));
    });
    assert.equal(migrated.code, 0, migrated.told);
    const server = await serve(folder, environment);
    const answers = {};
    for (const path of ["/", "/store/v1/products", "/backoffice/sign-in"]) answers[path] = (await server.asks(path)).status;
    const { end, log } = await server.end();
    assert.deepEqual(answers, { "/": 200, "/store/v1/products": 200, "/backoffice/sign-in": 200 }, log);
    assert.equal(end, 0, log);
  } finally {
    names.close();
  }
  assert.ok(asked.includes("database.shop.test"), `asked for ${asked}`);
  assert.deepEqual(readdirSync(join(folder, "data")), [], "something was written");
});

test("without a place for its secrets it says which setting it wants instead", () => {
  const ended = run(mounted({ "etc/hosts": "127.0.0.1 localhost\n" }), { ...anyPorts, DATABASE_URL: process.env.DATABASE_URL }, "serve");
  assert.notEqual(ended.status, 0);
  assert.match(ended.stderr, /data\/secrets|internal_credential/);
});

test("it trusts the authorities in the image, and nobody else", async () => {
  const authority = makeAuthority();
  const heard = [];
  const api = createServer({ key: authority.key, cert: authority.certificate }, (request, answer) => {
    heard.push(request.url);
    answer.writeHead(503, { "content-type": "application/problem+json" }).end("{}");
  });
  await new Promise((resolve) => api.listen(0, "127.0.0.1", resolve));
  const environment = {
    TRADEWIND__WEB__API_URL: `https://localhost:${api.address().port}`,
    TRADEWIND__WEB__INTERNAL_CREDENTIAL: "a-credential-of-the-image-test",
  };
  const page = async (folder) => {
    const server = await serve(folder, environment, "--target", "storefront");
    await server.asks("/");
    const { log } = await server.end();
    const requests = heard.splice(0).length;
    return { requests, log };
  };
  try {
    const hosts = { "etc/hosts": "127.0.0.1 localhost\n" };
    const stranger = await page(mounted(hosts));
    assert.equal(stranger.requests, 0, "an unknown authority was believed");
    const folder = mounted(hosts);
    appendFileSync(join(folder, "etc/ssl/certs/ca-certificates.crt"), authority.root);
    const known = await page(folder);
    assert.ok(known.requests > 0, `the image's list is not what is asked:\n${known.log}`);
  } finally {
    api.closeAllConnections();
    api.close();
  }
  const bundle = readFileSync(join(system, "etc/ssl/certs/ca-certificates.crt"), "utf8");
  assert.ok(bundle.match(/BEGIN CERTIFICATE/g).length > 100, "the list is too short to be Mozilla's");
});

// The image's file system with what every container runtime adds: /dev, /proc, and files for names.
function mounted(extra) {
  const folder = mkdtempSync(join(work, "mounted-"));
  execFileSync("cp", ["--archive", `${system}/.`, folder]);
  for (const name of ["dev", "proc"]) mkdirSync(join(folder, name));
  for (const [name, text] of Object.entries(extra)) writeFileSync(join(folder, name), text);
  execFileSync("chmod", ["0755", folder, work]);
  return folder;
}

// RFC 1035: the name is a list of labels after the header of twelve bytes.
function readQuestion(message) {
  const labels = [];
  let at = 12;
  for (; message[at] !== 0; at += message[at] + 1) labels.push(message.toString("latin1", at + 1, at + 1 + message[at]));
  return [labels.join("."), message.readUInt16BE(at + 1)];
}

// 127.0.0.1 to whoever asks for an address of version 4, nothing to others.
function answerTo(question, type) {
  const found = type === 1;
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8580, 2);
  header.writeUInt16BE(found ? 1 : 0, 6);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(0, 10);
  const end = question.indexOf(0, 12) + 5;
  const record = found ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]) : Buffer.alloc(0);
  return Buffer.concat([header, question.subarray(12, end), record]);
}

// An authority that nobody knows, and its certificate for localhost.
function makeAuthority() {
  const folder = mkdtempSync(join(work, "authority-"));
  const openssl = (...parts) => execFileSync("openssl", parts, { cwd: folder, stdio: "pipe" });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...curve, "-keyout", "root.key", "-out", "root.pem", "-days", "2", "-subj", "/CN=An authority of the image test",
    "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign");
  openssl("req", ...curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  writeFileSync(join(folder, "extensions"), "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n");
  openssl("x509", "-req", "-in", "server.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "extensions");
  const read = (name) => readFileSync(join(folder, name), "utf8");
  return { root: read("root.pem"), key: read("server.key"), certificate: read("server.pem") };
}
