// The lab's repository: the one Argo CD watches. People commit to it from a clone of their own; so does the lab.
import { existsSync } from 'node:fs';
import { at, clone, repository } from './lab.mjs';
import { run } from './run.mjs';

/// A working copy of the lab's repository, in which promotions and reverts are made.
export const workingCopy = at('git', 'working');

const author = ['-c', 'user.name=Tradewind lab', '-c', 'user.email=lab@tradewind.example'];

/// Runs git in the working copy.
export const git = (...args) => run('git', [...author, '-C', workingCopy, ...args]);

/// Makes the repository from what the clone has committed, once; a later call brings the clone's newer commits in, below what was committed here.
export async function prepareRepository() {
    if (!existsSync(repository)) {
        await run('git', ['clone', '--quiet', '--bare', '--single-branch', clone, repository]);
        const head = (await run('git', ['-C', repository, 'symbolic-ref', '--short', 'HEAD'])).trim();
        if (head !== 'main') {
            await run('git', ['-C', repository, 'branch', '--force', 'main', head]);
            await run('git', ['-C', repository, 'symbolic-ref', 'HEAD', 'refs/heads/main']);
        }
    }
    if (!existsSync(workingCopy)) await run('git', ['clone', '--quiet', '--branch', 'main', repository, workingCopy]);
    await git('fetch', '--quiet', 'origin');
    await git('reset', '--quiet', '--hard', 'origin/main');
}

/// The newest commit that Argo CD may see.
export const head = async () => (await git('rev-parse', 'HEAD')).trim();

/// Commits what is changed in the working copy and pushes it; gives the commit.
export async function commit(message) {
    await git('add', '--all');
    await git('commit', '--quiet', '--message', message);
    return push();
}

/// Makes a commit that takes back another, and pushes it.
export async function revert(which = 'HEAD') {
    await git('revert', '--no-edit', which);
    return push();
}

/// Pushes what is committed in the working copy; gives the newest commit.
export async function push() {
    await git('push', '--quiet', 'origin', 'HEAD:main');
    return head();
}
