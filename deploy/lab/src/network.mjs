// The bridge that stands for the node's network, and that pods find their way.
import { readFileSync, writeFileSync } from 'node:fs';
import { address, bridge } from './lab.mjs';
import { run, succeeds } from './shell.mjs';
import { remember, state } from './state.mjs';

const forwarding = '/proc/sys/net/ipv4/ip_forward';

export async function makeBridge() {
  if (!(await succeeds('ip', ['link', 'show', bridge]))) {
    remember({ bridge });
    await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  }
  await run('ip', ['address', 'replace', `${address}/24`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
  const before = readFileSync(forwarding, 'utf8').trim();
  if (before === '0') {
    remember({ forwarding: before });
    writeFileSync(forwarding, '1');
  }
}

export async function removeBridges() {
  const made = state();
  for (const name of [made.bridge, made.podBridge].filter(Boolean)) {
    if (await succeeds('ip', ['link', 'show', name])) await run('ip', ['link', 'delete', name]);
  }
  if (made.forwarding) writeFileSync(forwarding, made.forwarding);
}
