// Commands of others, and waiting.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { clone } from './lab.mjs';

const execute = promisify(execFile);

/** An error that the user can do something about: told without a stack. */
export class Refusal extends Error {}

/** Runs a program to its end and returns what it printed. Options: `input`, `env` (added), `cwd`, `uid`, `gid`, `timeout` in seconds. */
export async function run(program, argumentsOf, { input, env, cwd = clone, uid, gid, timeout = 600 } = {}) {
  const running = execute(program, argumentsOf, { cwd, uid, gid, env: { ...process.env, ...env }, maxBuffer: 64 << 20, timeout: timeout * 1000 });
  running.child.stdin.on('error', () => {}); // it may end before it has read everything
  running.child.stdin.end(input ?? '');
  try {
    return (await running).stdout;
  } catch (error) {
    const told = `${error.stderr ?? ''}`.trim().split('\n').slice(-12).join('\n');
    throw new Error(`${program} ${argumentsOf.slice(0, 4).join(' ')} failed (${error.killed ? `${timeout} s were over` : error.code}):\n${told || error.stdout || error.message}`, { cause: error });
  }
}

/** Whether a program ends well. */
export const succeeds = (program, argumentsOf, options) => run(program, argumentsOf, options).then(() => true, () => false);

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Asks until the answer is true, and returns it. Errors count as "not yet"; the last one is told when the time is over. */
export async function until(what, ask, { seconds = 60, every = 500 } = {}) {
  const end = Date.now() + seconds * 1000;
  let last;
  do {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      last = error;
    }
    await sleep(every);
  } while (Date.now() < end);
  throw new Error(`${what}: not within ${seconds} s${last ? `\n${last.message}` : ''}`);
}

/** The path of a pinned program, built the first time (which takes minutes and says so). */
export async function tool(name, program = name) {
  const { stdout } = await execute('deploy/tools/get', [name, program], { cwd: clone, maxBuffer: 1 << 20 }).catch((error) => {
    throw new Refusal(`${error.stderr ?? error.message}`.trim());
  });
  return stdout.trim();
}
