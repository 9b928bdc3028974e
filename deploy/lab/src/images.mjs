// The lab's registry and the images in it: ours as `make image` laid it out, and those of programs that this machine has, since no registry of the world need be in reach.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Refusal, at, authority, clone, registry, writeWhole } from "./lab.mjs";
import { start } from "./processes.mjs";
import { run, tool, until } from "./run.mjs";

export const pauseImage = "localhost/pause:1";
const inContainerd = ["--address", at("containerd.sock"), "--namespace", "k8s.io"];
const architecture = { x64: "amd64", arm64: "arm64" }[process.arch];

// Where `make image` puts the image.
export const builtImage = join(process.env.CARGO_TARGET_DIR || join(clone, "target"), "image");

export async function startRegistry() {
    const settings = at("registry.yaml");
    writeWhole(settings, `version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${at("registry")}}, delete: {enabled: true}}
http: {addr: "${authority("registry")}"}
`);
    await start("registry", "docker-registry", ["serve", settings], { reads: [settings] });
    await until("the registry answers", async () => (await fetch(`http://${registry}/v2/`)).ok, { seconds: 20 });
}

// Puts the pause image where containerd finds it.
export async function importPause() {
    const present = (await run("ctr", [...inContainerd, "images", "list", "--quiet"])).split("\n");
    if (present.includes(pauseImage)) return;
    const archive = await archiveOf(pauseImage, { pause: await tool("pause") }, { Entrypoint: ["/pause"] });
    await run("ctr", [...inContainerd, "images", "import", archive]);
}

// Makes the gateway's image of the distribution's HAProxy, and pushes it. Gives its digest.
export async function pushGateway() {
    const program = existsSync("/usr/sbin/haproxy") ? "/usr/sbin/haproxy" : (await run("which", ["haproxy"])).trim();
    const archive = await archiveOf("haproxy:lab", await withLibraries(program, "usr/sbin/haproxy"), { Env: ["PATH=/usr/sbin"], Cmd: ["haproxy", "-v"], StopSignal: "SIGUSR1", User: "10001:10001" });
    return copyToRegistry(`docker-archive:${archive}`, "haproxy");
}

// A program's file, and those of the libraries it is linked with, where its loader looks for them.
async function withLibraries(program, there) {
    const libraries = [...(await run("ldd", [program])).matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path);
    return { [there]: program, ...Object.fromEntries(libraries.map((path) => [path.slice(1), path])) };
}

// Builds our image if there is none yet; minutes, in which the compiler speaks.
export async function buildOurs(folder = builtImage) {
    if (existsSync(join(folder, "digest"))) return;
    const code = await new Promise((ended) => spawn(join(clone, "deploy/image/build"), ["--into", folder], { stdio: "inherit" }).on("close", ended));
    if (code !== 0) throw new Refusal("The shop's image could not be built: the lines above say why. `make image` builds it alone.");
}

// Pushes our image as `deploy/image/build` laid it out. Gives its digest.
export async function pushOurs(folder = builtImage) {
    await buildOurs(folder);
    return copyToRegistry(`oci:${join(folder, "layout")}:tradewind`, "tradewind");
}

// Pushes an image that runs the same program with other variables: of another digest, so another release. Gives its digest.
export async function pushVariant(name, { environment = {}, labels = {} } = {}, folder = builtImage) {
    const into = varied(join(folder, "layout"), { name, environment, labels: { "tradewind.lab.variant": name, ...labels } });
    return copyToRegistry(`oci:${into}:tradewind`, "tradewind", name);
}

// The program of our image, for what the lab itself does with the database.
export async function ourProgram(folder = builtImage) {
    const digest = readFileSync(join(folder, "digest"), "utf8").trim();
    const program = at("program", digest.slice("sha256:".length, 24), "tradewind");
    if (existsSync(program)) return program;
    const work = `${dirname(program)}.new`;
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const layout = join(folder, "layout");
    const { layers } = readJson(join(layout, blob(digest)));
    for (const layer of layers) await run("tar", ["-C", work, "-xf", join(layout, blob(layer.digest)), "--wildcards", "--no-anchored", "tradewind"], { fails: true });
    if (!existsSync(join(work, "tradewind"))) throw new Error(`the image in ${folder} has no program /tradewind`);
    rmSync(dirname(program), { recursive: true, force: true });
    await run("mv", [work, dirname(program)]);
    return program;
}

// Pushes what lies in `source` (as skopeo names it) and gives its digest in the registry. The tag only keeps it from being tidied away.
async function copyToRegistry(source, name, tag = "lab") {
    const digestFile = at("images", `${name}-${tag}.digest`);
    mkdirSync(dirname(digestFile), { recursive: true });
    const options = ["--quiet", "--insecure-policy", "--preserve-digests", "--dest-tls-verify=false", "--digestfile", digestFile];
    await run("skopeo", source.startsWith("oci:") ? ["copy", ...options, source, `docker://${registry}/${name}:${tag}`] : ["copy", ...options.filter((option) => option !== "--preserve-digests"), source, `docker://${registry}/${name}:${tag}`]);
    return readFileSync(digestFile, "utf8").trim();
}

// An image with these files (path there: path here) and this configuration, as an archive. The same files give the same bytes.
async function archiveOf(name, files, config) {
    mkdirSync(at("images"), { recursive: true });
    const folder = mkdtempSync(at("images", ".make-"));
    try {
        for (const [there, here] of Object.entries(files)) {
            mkdirSync(dirname(join(folder, "root", there)), { recursive: true });
            copyFileSync(here, join(folder, "root", there));
        }
        const tar = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
        await run("tar", [...tar, "-C", join(folder, "root"), "-cf", join(folder, "layer.tar"), "."]);
        const diff = sha256(readFileSync(join(folder, "layer.tar")));
        writeFileSync(join(folder, "config.json"), JSON.stringify({ architecture, os: "linux", created: "1970-01-01T00:00:00Z", config, rootfs: { type: "layers", diff_ids: [diff] } }));
        writeFileSync(join(folder, "manifest.json"), JSON.stringify([{ Config: "config.json", RepoTags: [name], Layers: ["layer.tar"] }]));
        const archive = at("images", `${name.replace(/[^a-z0-9]+/g, "-")}.tar`);
        await run("tar", [...tar, "-C", folder, "-cf", archive, "manifest.json", "config.json", "layer.tar"]);
        return archive;
    } finally {
        rmSync(folder, { recursive: true });
    }
}

// A copy of a layout whose image has more variables and labels.
function varied(layout, { name, environment, labels }) {
    const into = at("images", `variant-${name}`);
    rmSync(into, { recursive: true, force: true });
    mkdirSync(join(into, "blobs/sha256"), { recursive: true });
    const write = (content) => {
        const bytes = JSON.stringify(content);
        const digest = sha256(bytes);
        writeFileSync(join(into, blob(digest)), bytes);
        return { digest, size: Buffer.byteLength(bytes) };
    };
    const index = readJson(join(layout, "index.json"));
    const manifest = readJson(join(layout, blob(index.manifests[0].digest)));
    const image = readJson(join(layout, blob(manifest.config.digest)));
    for (const layer of manifest.layers) copyFileSync(join(layout, blob(layer.digest)), join(into, blob(layer.digest)));
    image.config.Env = [...(image.config.Env ?? []), ...Object.entries(environment).map(([key, value]) => `${key}=${value}`)];
    image.config.Labels = { ...image.config.Labels, ...labels };
    Object.assign(manifest.config, write(image));
    Object.assign(index.manifests[0], write(manifest));
    writeFileSync(join(into, "index.json"), JSON.stringify(index));
    copyFileSync(join(layout, "oci-layout"), join(into, "oci-layout"));
    return into;
}

const blob = (digest) => join("blobs", digest.replace(":", "/"));
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const sha256 = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
