// Keys and certificates of the lab's cluster, made at random on this machine and readable by root alone.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { address, onLoopback, within } from './lab.mjs';
import { run } from './shell.mjs';

export const key = (name) => within('keys', name);

/** A secret that is made once and then stays. */
export function secret(name) {
  mkdirSync(within('keys'), { recursive: true, mode: 0o700 });
  if (!existsSync(key(name))) writeFileSync(key(name), randomBytes(24).toString('hex'), { mode: 0o600 });
  return readFileSync(key(name), 'utf8');
}

const openssl = (...argumentsOf) => run('openssl', argumentsOf, { cwd: within('keys') });

/** The authority, the API server's certificate, its own for kubelets and for servers behind it, and the key of service accounts. */
export async function makeKeys() {
  secret('admin-token');
  if (!existsSync(key('authority.crt'))) {
    await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', '/CN=tradewind-lab', '-keyout', 'authority.key', '-out', 'authority.crt.new');
    renameSync(key('authority.crt.new'), key('authority.crt'));
  }
  await certify('api-server', '/CN=kube-apiserver', `subjectAltName=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:${address},IP:10.96.0.1`);
  await certify('kubelet-client', '/O=system:masters/CN=kube-apiserver-kubelet-client', 'extendedKeyUsage=clientAuth');
  await certify('front-proxy', '/CN=front-proxy', 'extendedKeyUsage=clientAuth');
  if (!existsSync(key('accounts.pub'))) {
    await openssl('genrsa', '-out', 'accounts.key', '2048');
    await openssl('rsa', '-in', 'accounts.key', '-pubout', '-out', 'accounts.pub');
  }
  writeFileSync(key('tokens.csv'), `${secret('admin-token')},admin,1,"system:masters"\n`, { mode: 0o600 });
}

async function certify(name, subject, extension) {
  if (existsSync(key(`${name}.crt`))) return;
  writeFileSync(key(`${name}.ext`), `${extension}\n`);
  await openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  await openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial', '-days', '3650', '-extfile', `${name}.ext`, '-out', `${name}.crt.new`);
  renameSync(key(`${name}.crt.new`), key(`${name}.crt`));
}

/** The file by which kubectl and all controllers reach the lab's cluster. */
export function writeKubeconfig() {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server: `https://127.0.0.1:${onLoopback.apiServer}`, 'certificate-authority': key('authority.crt') } }],
    users: [{ name: 'admin', user: { token: secret('admin-token') } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'admin' } }],
    'current-context': 'lab',
  };
  writeFileSync(within('kubeconfig'), JSON.stringify(config, null, 1), { mode: 0o600 });
}
