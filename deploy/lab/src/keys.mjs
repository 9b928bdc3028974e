// Keys, certificates and passwords of the lab: made at random on this machine, once, and readable by root alone.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { at, bridge, authority, found, given, kubeconfig, writeWhole } from "./lab.mjs";
import { run } from "./run.mjs";

// The path of a key.
export const key = (name) => at("keys", name);

// A secret that is made once and then stays.
export function secret(name) {
    const made = found(key(name));
    if (made) return made;
    const fresh = randomBytes(24).toString("hex");
    writeWhole(key(name), fresh);
    return fresh;
}

const openssl = (...args) => run("openssl", args, { cwd: at("keys") });

// What the cluster's own parts trust each other by: an authority, the API server's certificate, its own towards the kubelet and towards servers behind it, the key of service accounts.
export async function makeKeys() {
    mkdirSync(at("keys"), { recursive: true, mode: 0o700 });
    if (!existsSync(key("authority.crt"))) {
        await openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=tradewind-lab", "-keyout", "authority.key", "-out", "authority.crt.new");
        renameSync(key("authority.crt.new"), key("authority.crt"));
    }
    await certify("api-server", "/CN=kube-apiserver", `subjectAltName=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:${bridge.address},IP:10.96.0.1`);
    await certify("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "extendedKeyUsage=clientAuth");
    await certify("front-proxy", "/CN=front-proxy", "extendedKeyUsage=clientAuth");
    if (!existsSync(key("accounts.pub"))) {
        await openssl("genrsa", "-out", "accounts.key", "2048");
        await openssl("rsa", "-in", "accounts.key", "-pubout", "-out", "accounts.pub.new");
        renameSync(key("accounts.pub.new"), key("accounts.pub"));
    }
    writeWhole(key("tokens.csv"), `${secret("admin-token")},admin,1,"system:masters"\n`);
    writeKubeconfig();
}

async function certify(name, subject, extension) {
    if (existsSync(key(`${name}.crt`))) return;
    writeWhole(key(`${name}.extension`), `${extension}\n`);
    await openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const signing = ["-CA", "authority.crt", "-CAkey", "authority.key", "-CAcreateserial", "-days", "3650", "-extfile", `${name}.extension`];
    await openssl("x509", "-req", "-in", `${name}.csr`, ...signing, "-out", `${name}.crt.new`);
    renameSync(key(`${name}.crt.new`), key(`${name}.crt`));
}

// The file by which kubectl, node and controllers reach the lab's cluster. All of them are the administrator: the lab shows a release, not the rights within a control plane.
function writeKubeconfig() {
    if (given) return;
    const config = {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "lab", cluster: { server: `https://${authority("apiserver")}`, "certificate-authority": key("authority.crt") } }],
        users: [{ name: "admin", user: { token: secret("admin-token") } }],
        contexts: [{ name: "lab", context: { cluster: "lab", user: "admin" } }],
        "current-context": "lab",
    };
    writeWhole(kubeconfig, JSON.stringify(config, null, 4));
}
