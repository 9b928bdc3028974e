// Every stage of the pipeline meets a seeded fault in a clone of its own and must fail on it. deploy/pipeline/tests runs this.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const work = mkdtempSync(join(tmpdir(), "tradewind-pipeline-"));
const slow = process.env.SLOW ? {} : { skip: "deploy/pipeline/tests --slow does it" };
const started = [];
after(() => {
  for (const child of started) child.kill("SIGTERM");
  rmSync(work, { recursive: true, force: true });
});

// A clone of the last commit with the pipeline as it is here, committed, in which anything may be done.
function clone() {
  const folder = mkdtempSync(join(work, "clone-"));
  execFileSync("git", ["clone", "--quiet", "--shared", root, folder]);
  for (const name of [".ci", "Makefile", "deploy"]) {
    rmSync(join(folder, name), { recursive: true, force: true });
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  const git = (...parts) => execFileSync("git", ["-c", "user.name=Pipeline", "-c", "user.email=pipeline@shop.test", ...parts], { cwd: folder, encoding: "utf8" }).trim();
  git("add", "--all");
  git("commit", "--quiet", "--allow-empty", "--message", "The pipeline as it is");
  return { folder, git };
}

// A repository with nothing but the pipeline, whose history is read in a moment.
function beginning() {
  const { folder, git } = clone();
  git("checkout", "--quiet", "--orphan", "beginning");
  git("rm", "--quiet", "-r", "--cached", ".");
  git("add", "deploy/pipeline", "deploy/security");
  git("commit", "--quiet", "--message", "The pipeline alone");
  for (const branch of git("for-each-ref", "--format=%(refname)").split("\n")) if (!branch.endsWith("/beginning")) git("update-ref", "-d", branch);
  return { folder, git };
}

// Runs a stage; what it compiles stays in the test's own folder.
function stage(folder, command, ...parts) {
  const { environment = {} } = typeof parts.at(-1) === "object" ? parts.pop() : {};
  const names = { GIT_AUTHOR_NAME: "Pipeline", GIT_AUTHOR_EMAIL: "pipeline@shop.test", GIT_COMMITTER_NAME: "Pipeline", GIT_COMMITTER_EMAIL: "pipeline@shop.test" };
  // Node runs no tests within tests if it is told of it, and passes.
  const { JUNIT_DIR, NODE_TEST_CONTEXT, ...inherited } = process.env;
  const ended = spawnSync(join(folder, "deploy", command), parts, {
    cwd: folder,
    env: { ...inherited, ...names, CARGO_TARGET_DIR: join(work, "target"), ...environment },
    encoding: "utf8",
    timeout: 1_200_000,
  });
  return { status: ended.status, told: ended.stdout + ended.stderr, stdout: ended.stdout.trim() };
}

function refuses(ended, words) {
  assert.notEqual(ended.status, 0, `it passed:\n${ended.told}`);
  assert.match(ended.told, words);
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// A small image in the form that deploy/image/build leaves: `files` by path, as a container would see them.
function image(revision, { user = "10001:10001", files = { "etc/passwd": "tradewind:x:10001:10001::/:/sbin/nologin\n" } } = {}) {
  const folder = mkdtempSync(join(work, "image-"));
  const content = join(folder, "content");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(content, name)), { recursive: true });
    writeFileSync(join(content, name), text);
  }
  const blobs = join(folder, "layout/blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType, bytes) => {
    const name = sha256(bytes);
    writeFileSync(join(blobs, name), bytes);
    return { mediaType, digest: `sha256:${name}`, size: bytes.length };
  };
  const type = (name) => `application/vnd.oci.image.${name}`;
  const layer = execFileSync("tar", ["--create", "--owner=0", "--group=0", "--directory", content, "."]);
  const labels = { version: "0.1.0", revision, source: "https://git.shop.test/tradewind" };
  const config = put(type("config.v1+json"), Buffer.from(JSON.stringify({
    architecture: "amd64", os: "linux",
    config: { User: user, Entrypoint: ["/tradewind"], Labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [`org.opencontainers.image.${name}`, value])) },
    rootfs: { type: "layers", diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created_by: "COPY root/ /" }],
  })));
  const layers = [put(type("layer.v1.tar+gzip"), gzipSync(layer))];
  const manifest = put(type("manifest.v1+json"), Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type("manifest.v1+json"), config, layers })));
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations: { "org.opencontainers.image.ref.name": "tradewind" } }] };
  writeFileSync(join(folder, "layout/oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, "layout/index.json"), JSON.stringify(index));
  writeFileSync(join(folder, "digest"), `${manifest.digest}\n`);
  return { folder, digest: manifest.digest, layer: join(blobs, layers[0].digest.slice(7)) };
}

// A real registry on this machine, for as long as the tests run.
let registry;
async function aRegistry() {
  if (registry) return registry;
  const free = createServer();
  await new Promise((resolve) => free.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${free.address().port}`;
  await new Promise((resolve) => free.close(resolve));
  const settings = join(work, "registry.yml");
  writeFileSync(settings, `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${join(work, "registry")}}}\nhttp: {addr: "${address}"}\n`);
  const program = ["docker-registry", "registry"].find((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0);
  assert.ok(program, "no registry: apt-get install docker-registry");
  started.push(spawn(program, ["serve", settings], { stdio: "ignore" }));
  for (const begun = Date.now(); !(await fetch(`http://${address}/v2/`).catch(() => null))?.ok; await sleep(50)) {
    assert.ok(Date.now() - begun < 20_000, "the registry does not answer");
  }
  registry = `${address}/shop/tradewind`;
  return registry;
}

const commit = (letter) => letter.repeat(40);

test("build: a line out of form fails", () => {
  const { folder } = clone();
  appendFileSync(join(folder, "crates/kernel/src/lib.rs"), "\nfn  out_of_form( ) { }\n");
  refuses(stage(folder, "pipeline/build"), /out_of_form/);
});

test("build: a service that knows too much fails", slow, () => {
  const { folder } = clone();
  appendFileSync(join(folder, "services/cart/src/store.rs"), '\nconst STOLEN: &str = "select id from orders.purchase";\n');
  refuses(stage(folder, "pipeline/build"), /orders/);
});

test("build: what clippy forbids fails", slow, () => {
  const { folder } = clone();
  appendFileSync(join(folder, "crates/kernel/src/lib.rs"), "\n/// The first.\npub fn first(of: &[u8]) -> u8 {\n    of[0]\n}\n");
  refuses(stage(folder, "pipeline/build"), /indexing may panic/);
});

test("test: a test that fails is told, also to the build server", slow, () => {
  const { folder } = clone();
  appendFileSync(join(folder, "crates/kernel/src/lib.rs"), '\n#[cfg(test)]\nmod seeded {\n    #[test]\n    fn seeded_fault() {\n        assert_eq!(1, 2, "seeded");\n    }\n}\n');
  const environment = { RUST_TESTS: "--package kernel --lib", JUNIT_DIR: join(folder, "results") };
  refuses(stage(folder, "pipeline/test", "rust", { environment }), /seeded::seeded_fault/);
  const report = readFileSync(join(folder, "results/rust.xml"), "utf8");
  assert.match(report, /name="seeded::seeded_fault"><failure/);
});

test("test: what does not compile is told, also to the build server", slow, () => {
  const { folder } = clone();
  appendFileSync(join(folder, "crates/kernel/src/lib.rs"), "\nfn seeded() -> u8 { missing }\n");
  const environment = { RUST_TESTS: "--package kernel --lib", JUNIT_DIR: join(folder, "results") };
  refuses(stage(folder, "pipeline/test", "rust", { environment }), /missing/);
  assert.match(readFileSync(join(folder, "results/rust.xml"), "utf8"), /name="the command itself"><failure/);
});

test("image: a tag that is not the version fails before anything is compiled", () => {
  const { folder, git } = clone();
  git("tag", "v9.9.9");
  refuses(stage(folder, "image/build"), /v9\.9\.9 is not the version/);
});

test("image: what is not committed shows in the revision, and so do faults", () => {
  const { folder, git } = clone();
  assert.equal(stage(folder, "image/facts", "revision").stdout, git("rev-parse", "HEAD"));
  writeFileSync(join(folder, "more"), "");
  assert.equal(stage(folder, "image/facts", "revision").stdout, `${git("rev-parse", "HEAD")}-dirty`);
  assert.equal(stage(folder, "image/facts", "revision", { environment: { IMAGE_FEATURES: "faults" } }).stdout, `${git("rev-parse", "HEAD")}-dirty-faults`);
});

test("image: nobody's password gets into a label", () => {
  const { folder, git } = clone();
  git("remote", "set-url", "origin", "https://someone:hush@git.shop.test/shop/tradewind.git");
  assert.equal(stage(folder, "image/facts", "source").stdout, "https://git.shop.test/shop/tradewind");
});

test("image: a program that needs a dynamic loader, prints something else and names the variable of faults fails", slow, () => {
  const into = join(work, "dynamic");
  const environment = { CARGO_TARGET_DIR: process.env.CARGO_TARGET_DIR ?? join(root, "target") };
  const program = join(work, "true");
  writeFileSync(program, Buffer.concat([readFileSync("/bin/true"), Buffer.from("TRADEWIND_FAULT")]), { mode: 0o755 });
  const built = stage(root, "image/build", "--program", program, "--into", into, { environment });
  assert.equal(built.status, 0, built.told);
  const checked = stage(root, "image/check", into, { environment });
  refuses(checked, /✖ the program is static/);
  refuses(checked, /✖ the program prints what the labels say/);
  refuses(checked, /✖ no fault can be armed in it/);
});

test("scan: a key in a commit fails, also after it was taken out again", () => {
  const { folder, git } = beginning();
  const clean = stage(folder, "pipeline/scan", "secrets");
  assert.equal(clean.status, 0, clean.told);
  const key = execFileSync("openssl", ["genpkey", "-algorithm", "ed25519"], { encoding: "utf8" });
  writeFileSync(join(folder, "deploy/key.pem"), key.repeat(3));
  git("add", "deploy/key.pem");
  refuses(stage(folder, "pipeline/scan", "secrets"), /leaks found/);
  git("commit", "--quiet", "--message", "A key");
  git("rm", "--quiet", "deploy/key.pem");
  git("commit", "--quiet", "--message", "No key");
  refuses(stage(folder, "pipeline/scan", "secrets"), /leaks found/);
});

test("scan: a crate under a licence that is not ours to take fails", { skip: spawnSync("cargo", ["deny", "--version"]).status !== 0 && "cargo-deny is missing" }, () => {
  const { folder } = clone();
  const rules = readFileSync(join(folder, "deny.toml"), "utf8");
  writeFileSync(join(folder, "deny.toml"), rules.replace(/^ {4}"MIT",\n/m, ""));
  refuses(stage(folder, "pipeline/scan", "dependencies"), /rejected/);
});

test("scan: a container that runs as root fails", slow, () => {
  const { folder } = clone();
  const clean = stage(folder, "pipeline/scan", "configuration");
  assert.equal(clean.status, 0, clean.told);
  mkdirSync(join(folder, "deploy/seeded"));
  writeFileSync(join(folder, "deploy/seeded/Dockerfile"), "FROM debian:latest\nRUN apt-get update\nCMD [\"sh\"]\n");
  refuses(stage(folder, "pipeline/scan", "configuration"), /root/);
});

test("scan: a secret within the image fails, and so does an image for root", slow, () => {
  const { folder } = clone();
  const scan = (of) => stage(folder, "pipeline/scan", "image", { environment: { IMAGE: of.folder } });
  const clean = scan(image(commit("a")));
  assert.equal(clean.status, 0, clean.told);
  const key = execFileSync("openssl", ["genrsa", "-traditional", "2048"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  refuses(scan(image(commit("a"), { files: { "etc/key.pem": key } })), /private-key/i);
  refuses(scan(image(commit("a"), { user: "" })), /root/);
});

test("scan: an image that is not there fails", () => {
  refuses(stage(root, "pipeline/scan", "image", { environment: { IMAGE: join(work, "nowhere") } }), /There is no image/);
});

test("push: an image arrives under its digest, and a second time changes nothing", async () => {
  const repository = await aRegistry();
  const { folder, digest } = image(commit("b"));
  for (const _ of [1, 2]) {
    const pushed = stage(root, "pipeline/push", repository, folder);
    assert.equal(pushed.stdout, `${repository}@${digest}`, pushed.told);
  }
});

test("push: a damaged image fails", async () => {
  // A layer of its own: one that the registry has already is not sent again.
  const { folder, layer } = image(commit("c"), { files: { damaged: "damaged" } });
  const bytes = readFileSync(layer);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(layer, bytes);
  refuses(stage(root, "pipeline/push", await aRegistry(), folder), /did not take the image/);
});

test("push: another digest than was built fails", async () => {
  const { folder } = image(commit("c"));
  writeFileSync(join(folder, "digest"), `sha256:${sha256("another")}\n`);
  refuses(stage(root, "pipeline/push", await aRegistry(), folder), /digest says/);
});

test("push: what no commit holds fails, and so does what was built for drills", async () => {
  for (const other of ["dirty", "faults"]) {
    refuses(stage(root, "pipeline/push", await aRegistry(), image(`${commit("c")}-${other}`).folder), /only an image of a commit/);
  }
});

test("push: a second image of one commit fails", async () => {
  const repository = await aRegistry();
  assert.equal(stage(root, "pipeline/push", repository, image(commit("d")).folder).status, 0);
  refuses(stage(root, "pipeline/push", repository, image(commit("d"), { files: { other: "other" } }).folder), /has another image of the commit/);
});

test("push: a registry that is away fails", () => {
  refuses(stage(root, "pipeline/push", "127.0.0.1:9/shop/tradewind", image(commit("e")).folder), /did not take the image/);
});

test("promote: a digest becomes a commit of one file", async () => {
  const { folder, git } = clone();
  const pushed = stage(root, "pipeline/push", await aRegistry(), image(commit("f")).folder).stdout;
  const promoted = stage(folder, "pipeline/promote", "staging", pushed);
  assert.equal(promoted.status, 0, promoted.told);
  const [repository, digest] = pushed.split("@");
  const file = "deploy/argocd/environments/staging/image.yaml";
  assert.equal(git("show", "--name-only", "--format=%s", "HEAD"), `Promote tradewind 0.1.0 to staging\n\n${file}`);
  assert.match(git("log", "-1", "--format=%b"), new RegExp(`Built from: ${commit("f")}`));
  assert.match(readFileSync(join(folder, file), "utf8"), new RegExp(`^image:\n  repository: ${repository}\n  digest: ${digest}\n$`, "m"));
  const helm = execFileSync(join(root, "deploy/tools/get"), ["helm"], { encoding: "utf8" }).trim();
  const values = ["deploy/helm/tradewind/values-production.yaml", "deploy/argocd/environments/staging/values.yaml", file].flatMap((name) => ["--values", name]);
  const given = ["gateway.image.digest=sha256:" + sha256("a gateway"), "gateway.trustedBalancers={10.0.0.0/20}"].flatMap((value) => ["--set", value]);
  const rendered = execFileSync(helm, ["template", "shop", "deploy/helm/tradewind", ...values, ...given], { cwd: folder, encoding: "utf8" });
  const images = rendered.match(/image: .*tradewind.*/g);
  assert.ok(images.length >= 5 && images.every((line) => line.includes(pushed)), images.join("\n"));
  const again = stage(folder, "pipeline/promote", "staging", pushed);
  assert.match(again.stdout, /already/);
  assert.equal(git("rev-list", "--count", "HEAD~1..HEAD"), "1");
});

test("promote: the lab's commit goes to the lab's own repository, and nothing is changed here", async () => {
  const { folder, git } = clone();
  const home = mkdtempSync(join(work, "lab-"));
  const watched = join(home, "git/tradewind.git");
  const environment = { TRADEWIND_LAB: home };
  const pushed = stage(root, "pipeline/push", await aRegistry(), image(commit("2")).folder).stdout;
  refuses(stage(folder, "pipeline/promote", "lab", pushed, { environment }), /no repository in .*make lab/);
  git("checkout", "--quiet", "-B", "main");
  execFileSync("git", ["clone", "--quiet", "--bare", "--single-branch", "--branch", "main", folder, watched], { stdio: "ignore" });
  const before = git("rev-parse", "HEAD");
  writeFileSync(join(folder, "more"), "what is not committed here does not matter");
  const promoted = stage(folder, "pipeline/promote", "lab", pushed, { environment });
  assert.equal(promoted.status, 0, promoted.told);
  const there = (...parts) => execFileSync("git", ["-C", watched, ...parts], { encoding: "utf8" }).trim();
  assert.equal(there("show", "--name-only", "--format=%s", "main"), "Promote tradewind 0.1.0 to lab\n\ndeploy/argocd/environments/lab/image.yaml");
  assert.equal(there("rev-parse", "main~1"), before);
  assert.equal(git("rev-parse", "HEAD"), before);
  assert.ok(!existsSync(join(folder, "deploy/argocd/environments/lab/image.yaml")));
  assert.match(stage(folder, "pipeline/promote", "lab", pushed, { environment }).stdout, /already/);
  assert.equal(there("rev-list", "--count", `${before}..main`), "1");
});

test("promote: tags, strangers, unknown environments and a dirty tree are refused, and nothing is written", async () => {
  const { folder, git } = clone();
  const before = git("rev-parse", "HEAD");
  const repository = await aRegistry();
  const pushed = stage(root, "pipeline/push", repository, image(commit("1")).folder).stdout;
  const promote = (...parts) => stage(folder, "pipeline/promote", ...parts);
  refuses(promote("staging", `${repository}:latest`), /not a digest/);
  refuses(promote("staging", pushed.replace("@", ":latest@")), /tag beside the digest/);
  refuses(promote("staging", `${repository}@sha256:${sha256("nobody pushed this")}`), /does not have/);
  refuses(promote("moon", pushed), /no environment moon/);
  refuses(promote("../../../etc", pushed), /no name of an environment/);
  writeFileSync(join(folder, "more"), "");
  refuses(promote("staging", pushed), /uncommitted/);
  rmSync(join(folder, "more"));
  assert.equal(git("rev-parse", "HEAD"), before);
  assert.equal(git("status", "--porcelain"), "");
  assert.ok(existsSync(join(folder, "deploy/argocd/environments/staging")));
});
