// The lab's repository: the one Argo CD watches. People commit to it from a clone of their own; so does the lab.
import { existsSync, renameSync, rmSync } from "node:fs";
import { Refusal, at, clone, repository } from "./lab.mjs";
import { lastLines, run } from "./run.mjs";

// A working copy of the lab's repository, in which promotions and reverts are made.
export const workingCopy = at("git", "working");

const author = ["-c", "user.name=Tradewind lab", "-c", "user.email=lab@tradewind.example"];

// Runs git in the working copy.
export const git = (...args) => run("git", [...author, "-C", workingCopy, ...args]);

// Makes the repository from what the clone has committed. A later call brings the clone's newer commits to it and leaves what was committed here.
export async function prepareRepository() {
    if (!existsSync(repository)) {
        const fresh = `${repository}.new`;
        rmSync(fresh, { recursive: true, force: true });
        await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", fresh]);
        await run("git", ["-C", clone, "push", "--quiet", fresh, "HEAD:refs/heads/main"]);
        renameSync(fresh, repository);
    }
    if (!existsSync(workingCopy)) await run("git", ["clone", "--quiet", "--branch", "main", repository, workingCopy]);
    await refresh();
    await git("fetch", "--quiet", clone, "HEAD");
    const merged = await run("git", [...author, "-C", workingCopy, "merge", "--quiet", "--no-edit", "--message", "What the clone has committed since", "FETCH_HEAD"], { fails: true });
    if (merged.code !== 0) {
        await run("git", ["-C", workingCopy, "merge", "--abort"], { fails: true });
        throw new Refusal(`The clone's commits and those of the lab's repository do not go together:\n${lastLines(merged.output, 5)}\nMerge them by hand in ${workingCopy} and push, or begin anew: deploy/lab/lab down --forget`);
    }
    await push();
}

// Brings the working copy to what the repository has.
export async function refresh() {
    await git("fetch", "--quiet", "origin");
    await git("reset", "--quiet", "--hard", "origin/main");
}

// The newest commit that Argo CD may see.
export const head = async () => (await git("rev-parse", "HEAD")).trim();

// Commits what is changed in the working copy and pushes it; gives the commit.
export async function commit(message) {
    await git("add", "--all");
    await git("commit", "--quiet", "--message", message);
    return push();
}

// Makes a commit that takes back another, and pushes it.
export async function revert(which = "HEAD") {
    await git("revert", "--no-edit", which);
    return push();
}

// Pushes what is committed in the working copy; gives the newest commit.
export async function push() {
    await git("push", "--quiet", "origin", "HEAD:main");
    return head();
}
