// What the lab has changed of the machine besides starting processes, so that exactly that is taken back.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { home, within } from './lab.mjs';

const file = () => within('state.json');

export const state = () => (existsSync(file()) ? JSON.parse(readFileSync(file(), 'utf8')) : {});

/** Remembers something before it is done: what is remembered and was not done is harmless to take back. */
export function remember(changes) {
  mkdirSync(home, { recursive: true, mode: 0o755 });
  writeFileSync(`${file()}.new`, JSON.stringify({ ...state(), ...changes }, null, 1), { mode: 0o600 });
  renameSync(`${file()}.new`, file());
}
